"""Difference keying: what can be had from source and plate without any network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from models.evaluation.contender import Answer, Picture


@dataclass(frozen=True, slots=True)
class DifferenceKey:
    """A keyer whose screen is the plate: alpha rises with the colour's distance from the plate.

    The distance is the largest difference of the three channels, after a light blur against the
    camera's noise. At `low` alpha begins, at `high` it is 1. The defaults were chosen
    by eye on composites of the training split; another choice is one argument away.
    """

    name: str = "difference-key"
    low: float = 0.1
    """Largest difference of a channel, 0..1."""
    high: float = 0.15
    blur: float = 0.8
    """Sigma in pixels; 0 for none."""

    @property
    def sha256(self) -> str | None:
        """There is no file."""
        return None

    @property
    def settings(self) -> Mapping[str, object]:
        """The two thresholds and the blur."""
        return {"low": self.low, "high": self.high, "blur": self.blur}

    def start(self) -> None:
        """Nothing to forget."""

    def matte(self, source: Picture, plate: Picture) -> Answer:
        """See `Contender.matte`; the foreground is the source with the plate's share taken out."""
        change = np.asarray(source - plate)
        if self.blur:
            border = cv2.BORDER_REPLICATE
            change = np.asarray(cv2.GaussianBlur(change, (0, 0), self.blur, borderType=border))
        distance = np.abs(change).max(axis=2)
        alpha = np.clip((distance - self.low) / (self.high - self.low), 0, 1).astype(np.float32)
        # source = alpha * foreground + (1 - alpha) * plate, solved for the foreground; where alpha
        # is small, noise would be all that is left of it.
        share = np.maximum(alpha, 0.1)[..., None]
        foreground = np.clip(plate + (source - plate) / share, 0, 1)
        return Answer(alpha, np.asarray(foreground, dtype=np.float32))

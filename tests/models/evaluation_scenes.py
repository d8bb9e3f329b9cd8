"""Small sets and contenders whose answers are known, for tests of what examines them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.evaluation.contender import Answer, Picture
from models.evaluation.sets import StillSet
from models.scenes.material import Material

SIZE = (72, 112)


def stills(material: Path, size: tuple[int, int] = SIZE) -> StillSet:
    """Held-back people over held-back rooms of the `material` fixture."""
    return StillSet(Material("cut-outs", "people"), Material("rooms", "rooms"), material, size)


class Counted:
    """Progress for an examination: how many answers were told of."""

    def __init__(self) -> None:
        self.total = 0.0

    def update(self, n: float = 1) -> None:
        self.total += n


@dataclass
class Constant:
    """Says the same alpha everywhere, and finds the source's colours."""

    name: str
    alpha: float
    sha256: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)

    def start(self) -> None:
        """Nothing to forget."""

    def matte(self, source: Picture, plate: Picture) -> Answer:
        alpha = np.full(source.shape[:2], self.alpha, np.float32)
        return Answer(alpha, source, alpha)


@dataclass
class Tiring:
    """Says less with every frame of a clip, and finds no colours."""

    name: str = "tiring"
    sha256: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    frames: int = 0

    def start(self) -> None:
        self.frames = 0

    def matte(self, source: Picture, plate: Picture) -> Answer:
        self.frames += 1
        return Answer(np.full(source.shape[:2], 1 / self.frames, np.float32))

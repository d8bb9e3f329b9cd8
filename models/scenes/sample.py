"""What training and evaluation get: pictures of one scene, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from models.scenes.camera import Image

Sample: TypeAlias = tuple[Image, Image, Image, Image]
"""Source, plate (H x W x 3), alpha (H x W x 1) and foreground (H x W x 3); float32, RGB, 0..1."""


@dataclass(frozen=True, slots=True)
class Batch:
    """N samples of one size, float32 tensors in 0..1."""

    source: Tensor  # (N, 3, H, W)
    plate: Tensor  # (N, 3, H, W)
    alpha: Tensor  # (N, 1, H, W)
    foreground: Tensor  # (N, 3, H, W)

    def pin_memory(self) -> Batch:
        """Where an accelerator can fetch it by itself; torch's loader asks for it by this name,
        and leaves what does not have it where it is."""
        fields = (self.source, self.plate, self.alpha, self.foreground)
        return Batch(*(field.pin_memory() for field in fields))


def stack(samples: Sequence[Sample]) -> Batch:
    """Samples of one size as one batch."""
    columns = (np.stack(column) for column in zip(*samples, strict=True))
    source, plate, alpha, foreground = (
        torch.from_numpy(column.astype(np.float32).transpose(0, 3, 1, 2).copy())
        for column in columns
    )
    return Batch(source, plate, alpha, foreground)

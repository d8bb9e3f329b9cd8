"""Training samples without end, each decided by the seed and its number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from models.scenes.composition import Recipe, compose
from models.scenes.degradation import Batch, degrade, stack


class Batches(torch.utils.data.Dataset[Batch]):
    """An endless training set: batch number n follows from the seed and n alone.

    So a run that resumes at step n sees what it would have seen, whatever the number of loader
    processes.
    """

    def __init__(
        self,
        people: Sequence[NDArray[np.uint8]],
        rooms: Sequence[NDArray[np.uint8]],
        *,
        batch: int,
        heights: tuple[int, int],
        widths: tuple[int, int],
        seed: int,
        steps: int,
        recipe: Recipe | None = None,
    ) -> None:
        self.people, self.rooms = people, rooms
        self.batch, self.heights, self.widths = batch, heights, widths
        self.seed, self.steps = seed, steps
        self.recipe = recipe or Recipe()

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        """Batch number `step`; all its samples have one size, drawn per batch (paper sec. 4)."""
        rng = np.random.default_rng((self.seed, step))
        height = int(rng.integers(self.heights[0] // 16, self.heights[1] // 16 + 1)) * 16
        width = int(rng.integers(self.widths[0] // 16, self.widths[1] // 16 + 1)) * 16
        samples = []
        for _ in range(self.batch):
            scene = compose(self.people, self.rooms, (height, width), rng, self.recipe)
            samples.append(degrade(scene, rng))
        return stack(samples)

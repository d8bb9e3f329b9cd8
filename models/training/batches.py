"""Training samples without end, each decided by the seed and its number."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Subset

from models.scenes.material import open_backgrounds, open_foregrounds
from models.scenes.pictures import Decoded, Picture
from models.scenes.recipes import RECIPES
from models.scenes.sample import Batch, stack
from models.scenes.splits import Split
from models.training.plan import Plan
from models.training.stage import Stage
from models.uninterrupted import hear_again, uninterrupted

Pictures = Sequence[Picture]


class Joined(Decoded):
    """Several sets as one."""

    def __init__(self, parts: Sequence[Pictures]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def at(self, index: int) -> Picture:
        """Picture number `index` of all."""
        part = int(np.searchsorted(self._ends, index, side="right"))
        return self._parts[part][index - (int(self._ends[part - 1]) if part else 0)]


class Batches(torch.utils.data.Dataset[Batch]):
    """The training set of a stage: batch number n follows from the seed and n alone.

    So a run that resumes at step n sees what it would have seen, whatever the number of loader
    processes. Processes that train together draw their shares of a batch each for itself, in the
    size that all of them drew.

    Args:
        stage: sizes, recipe, and how people and rooms are chosen.
        people: H x W x 4 pictures of the train split.
        rooms: H x W x 3 pictures.
        seed: of the run.
        share: which samples of a batch to make; all if not given.
    """

    def __init__(
        self, stage: Stage, people: Pictures, rooms: Pictures, *, seed: int = 0,
        share: range | None = None,
    ) -> None:  # fmt: skip
        self.people, self.rooms = people, rooms
        self.epoch = max(len(people), len(rooms))
        # An epoch that is not a whole number of batches gives its rest to the next.
        whole = max(stage.epochs * self.epoch // stage.batch, 1) if stage.epochs else stage.steps
        steps = min(whole, stage.steps or whole)
        self.stage = replace(stage, steps=steps)
        self.seed = seed + stage.seed
        self.share = share or range(stage.batch)
        self._shuffled: tuple[int, NDArray[np.int64]] | None = None

    def __len__(self) -> int:
        return self.stage.steps

    def __getitem__(self, step: int) -> Batch:
        """The share of batch `step`; all samples have one size, drawn per batch (paper sec. 4)."""
        rng = np.random.default_rng((self.seed, step))
        size = self._side(rng, self.stage.heights), self._side(rng, self.stage.widths)
        chosen = [self._place(step * self.stage.batch + number) for number in self.share]
        # A 0 at the end of a seed counts as none: the size would decide what the first sample is.
        own = np.random.default_rng((self.seed, step, 1 + self.share.start))
        draw = RECIPES[self.stage.recipe]
        return stack(
            draw(
                self.people, self.rooms, size, own, len(self.share),
                zoom=self.stage.zoom, focus=self.stage.focus, clean=self.stage.clean,
                drifted=self.stage.drifted,
                chosen=chosen if self.stage.epochs else None,
            )
        )  # fmt: skip

    def _place(self, sample: int) -> int:
        """The number within its epoch of sample number `sample` of the stage."""
        epoch, place = divmod(sample, self.epoch)
        if self._shuffled is None or self._shuffled[0] != epoch:
            order = np.random.default_rng((self.seed, epoch, 0xE9)).permutation(self.epoch)
            self._shuffled = epoch, order
        return int(self._shuffled[1][place])

    def _side(self, rng: np.random.Generator, limits: tuple[int, int]) -> int:
        unit = self.stage.multiple
        return int(rng.integers(limits[0] // unit, limits[1] // unit + 1)) * unit


def open_material(
    plan: Plan, stage: Stage, data: Path, split: Split, *, keep: bool
) -> tuple[Pictures, Pictures]:
    """People and rooms of a stage.

    Args:
        plan: names the sets.
        stage: names which of them it uses.
        data: the folder they lie in.
        split: whom to open.
        keep: decode those that the plan says to keep, now.

    Raises:
        MaterialMissing: says which folder is wanted and where the set is described.
        MaterialUnfit: the set is not for this.
    """
    opened: list[Pictures] = []
    for names, opener in (
        (stage.foregrounds, open_foregrounds),
        (stage.backgrounds, open_backgrounds),
    ):
        sources = [plan.material[name] for name in names]
        parts = [opener(s.material, data, split, keep=keep and s.keep) for s in sources]
        opened.append(parts[0] if len(parts) == 1 else Joined(parts))
    return opened[0], opened[1]


def load(batches: Batches, start: int, workers: int, *, pin: bool) -> Iterator[Batch]:
    """Batches from step `start` on, made by `workers` processes ahead of time; 0 for this one.

    `pin` puts them where an accelerator can fetch them by itself.
    """
    loader = DataLoader(
        Subset(batches, range(start, len(batches))),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        # Never a fork: threads of OpenCV, OpenMP and the backends do not survive it.
        multiprocessing_context="spawn" if workers else None,
        pin_memory=pin,
        worker_init_fn=_leave_group,
        # Its own, so that making a loader does not move the state others draw from.
        generator=torch.Generator(),
    )
    with uninterrupted():
        return iter(loader)


def _leave_group(_: int) -> None:
    """Ctrl-C, `timeout` and service managers signal whole process groups. Only the trainer is to
    hear them: it writes a checkpoint, and for that it needs no worker to have died."""
    os.setpgid(0, 0)
    hear_again()  # the loader ends a worker that hangs by a signal

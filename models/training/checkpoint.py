"""Where a stage stands: enough to go on as if nothing had happened, and to release what it made."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from models.training.errors import TrainingError
from models.training.stage import Stage

FILE: Final = "checkpoint.pt"


_MAY_CHANGE: Final = {"steps", "epochs", "examine_every", "name"}
"""What a stage may be given anew when it goes on."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One stage after some step."""

    step: int
    """Steps done."""
    stage: Mapping[str, Any]
    """Fields of `Stage`, with the number of its steps known."""
    network: Mapping[str, Tensor]
    averaged: Mapping[str, Tensor]
    """The moving average of `network`: what is examined, released and trained on."""
    optimiser: Mapping[str, Any]
    scaler: Mapping[str, Any] = field(default_factory=dict)
    """Of the gradient, where fp16 needs it."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """For the card: plan, seed, material, machine, versions, seconds; see `models.training.record`.
    Empty in checkpoints from before it was kept."""

    @property
    def finished(self) -> bool:
        """Whether the stage has done all its steps."""
        return self.step >= int(self.stage["steps"])

    def write(self, folder: Path) -> None:
        """Into a stage's folder, in place of the one before."""
        state = {name: getattr(self, name) for name in self.__slots__}
        # Written beside and renamed: a stop in the middle leaves the old checkpoint whole.
        fresh = folder / "checkpoint.new"
        torch.save(state, fresh)
        fresh.replace(folder / FILE)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint of a stage's folder; None where there is none yet.

    Raises:
        TrainingError: the file is damaged or something else.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        # Mapped, so that asking how far a stage is reads no parameters.
        state = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        return Checkpoint(**{name: state[name] for name in Checkpoint.__slots__ if name in state})
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, TypeError) as error:
        raise TrainingError(
            f"{file} is damaged or no checkpoint of a training: remove it to begin the stage anew"
        ) from error


def check_unchanged(stage: Stage, before: Checkpoint) -> None:
    """A plan that was edited on the way would put its last numbers on the card for all steps. How
    long a stage is may change.

    Raises:
        TrainingError: names what else changed.
    """
    now = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(stage).items()}
    changed = sorted(
        key
        for key, value in before.stage.items()
        if key in now and key not in _MAY_CHANGE and now[key] != value
    )
    if changed:
        raise TrainingError(
            f"stage {stage.name} began with another plan, {', '.join(changed)} changed: "
            "put that back, or give another --out"
        )

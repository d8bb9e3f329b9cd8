"""Pictures that are decoded once, for all processes of a loader."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
import weakref
from collections.abc import Sequence
from itertools import accumulate
from multiprocessing.reduction import DupFd
from typing import Any

import numpy as np
from tqdm import tqdm

from models.scenes.pictures import Decoded, Picture


class Kept(Decoded):
    """Pictures decoded at the start, in memory that other processes see when this is sent to them.

    What a process changes in a picture, it alone sees.

    Args:
        pictures: at least one, uint8.
        what: names the bar of progress.
    """

    def __init__(self, pictures: Sequence[Picture], what: str) -> None:
        memory = _memory()
        shapes: list[tuple[int, ...]] = []
        with open(memory, "wb", closefd=False) as file:
            for picture in tqdm(pictures, desc=what, leave=False, disable=None):
                file.write(np.ascontiguousarray(picture).data)
                shapes.append(picture.shape)
        self._map(memory, shapes)

    def _map(self, memory: int, shapes: list[tuple[int, ...]]) -> None:
        weakref.finalize(self, os.close, memory)
        self._memory, self._shapes = memory, shapes
        self._starts = [0, *accumulate(map(math.prod, shapes))]
        self._bytes = mmap.mmap(memory, self._starts[-1], access=mmap.ACCESS_COPY)

    def __len__(self) -> int:
        return len(self._shapes)

    def at(self, index: int) -> Picture:
        """Number `index`, in its place: nothing is copied."""
        shape = self._shapes[index]
        flat = np.frombuffer(self._bytes, np.uint8, math.prod(shape), self._starts[index])
        return flat.reshape(shape)

    def __getstate__(self) -> tuple[Any, list[tuple[int, ...]]]:
        return DupFd(self._memory), self._shapes

    def __setstate__(self, state: tuple[Any, list[tuple[int, ...]]]) -> None:
        memory, shapes = state
        self._map(memory.detach(), shapes)


def _memory() -> int:
    """A file without a name, in memory where the system can: /dev/shm may be small."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("pictures")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())

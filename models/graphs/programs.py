"""Recorded programs, and which of them are kept."""

from __future__ import annotations

import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from models.graphs.features import PlateFeatures
from models.graphs.feeds import Feed, Landed
from models.graphs.frame import FrameKey, WholeFrame
from models.graphs.recording import Work
from models.report import I420

MOST_PROGRAMS: Final = 48
"""Programs kept, least recently used first out: four numbers of frames at each of six levels for
each of two sizes; what they hold is bounded in bytes as well."""

IDLE: Final = 5.0
"""Seconds without use after which a program makes room where memory is short."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameJob:
    """One frame for a program."""

    key: FrameKey
    source: I420
    features: PlateFeatures
    backdrop: Tensor
    """(1, 3, H, W), RGB, 0..1."""


class Program:
    """One recorded whole frame for a number of frames, and what lies in its lanes."""

    def __init__(self, frame: WholeFrame, replay: Work, feed: Feed) -> None:
        self._frame, self._replay, self._feed = frame, replay, feed
        nothing: tuple[_Resident, _Resident] = (_nobody, _nobody)
        self._residents = [nothing] * frame.count
        self.bytes = frame.lanes.bytes + frame.finished.bytes + feed.bytes

    def launch(self, jobs: Sequence[FrameJob]) -> Callable[[], Landed]:
        """Start at most as many jobs as there are lanes; what is returned waits for them.

        At most two batches may be on their way at a time, and they land in order.
        """
        if len(jobs) > self._frame.count:
            raise ValueError(f"{len(jobs)} frames do not fit into {self._frame.count} lanes")
        seats = self._seats(jobs)  # job of each lane
        self._feed.send([jobs[seat].source for seat in seats])
        for lane, seat in enumerate(seats):
            self._settle(lane, jobs[seat])
        self._replay()
        land = self._feed.fetch(len(jobs))
        lanes = [seats.index(number) for number in range(len(jobs))]  # lane of each job

        def in_order() -> Landed:
            landed = land()
            return landed._replace(
                composites=[landed.composites[lane] for lane in lanes],
                thumbnails=landed.thumbnails[lanes],
            )

        return in_order

    def _seats(self, jobs: Sequence[FrameJob]) -> list[int]:
        """Which job goes into each lane: where its plate lies already, if it can be."""
        seats: list[int | None] = [None] * len(jobs)
        standing = []
        for number, job in enumerate(jobs):
            at_home = (
                lane
                for lane, seat in enumerate(seats)
                if seat is None and self._residents[lane][0]() is job.features
            )
            lane = next(at_home, None)
            if lane is None:
                standing.append(number)
            else:
                seats[lane] = number
        return [standing.pop(0) if seat is None else seat for seat in seats]

    @torch.inference_mode()
    def _settle(self, lane: int, job: FrameJob) -> None:
        """Copy plate and backdrop into a lane, unless they lie there: with steady streams they
        do, and nothing is moved."""
        lanes = self._frame.lanes
        features, backdrop = self._residents[lane]
        # Until all of it lies there: a copy that fails half way must not pass for a stream's own.
        self._residents[lane] = (_nobody, _nobody)
        if features() is not job.features:
            lanes.plate[lane].copy_(job.features.plate)
            lanes.half[lane].copy_(job.features.half)
            lanes.small[lane].copy_(job.features.small)
            lanes.first[lane].copy_(job.features.first)
        if backdrop() is not job.backdrop:
            lanes.backdrop[lane].copy_(job.backdrop[0])
        # Weakly: a stream that ends takes its memory with it.
        self._residents[lane] = (weakref.ref(job.features), weakref.ref(job.backdrop))


_Resident = Callable[[], object]


def _nobody() -> object:
    return None


class Which(NamedTuple):
    """Names a program."""

    key: FrameKey
    frames: int


class Programs:
    """The programs that were used last, within bounds of number and memory."""

    def __init__(
        self,
        make: Callable[[Which], Program],
        *,
        most: int = MOST_PROGRAMS,
        most_bytes: int | None = None,
        dismiss: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`dismiss` is called before a program is let go: until the device has finished with it."""
        self._make, self._dismiss, self._clock = make, dismiss, clock
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[Which, tuple[Program, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def __contains__(self, which: Which) -> bool:
        """Whether it is kept."""
        return which in self._kept

    @property
    def bytes(self) -> int:
        """Inputs, outputs and buffers of all of them, on the device."""
        return sum(program.bytes for program, _ in self._kept.values())

    def get(self, which: Which) -> Program:
        """The program, recorded now if it is not there."""
        known = self._kept.get(which)
        program = known[0] if known else self._make(which)
        self._kept[which] = (program, self._clock())
        self._kept.move_to_end(which)
        while len(self._kept) > 1 and self._too_much():
            self._dismiss()
            self._kept.popitem(last=False)
        return program

    def drop_idle(self) -> int:
        """Let go of those that nobody has used for a while; how many."""
        before = self._clock() - IDLE
        idle = [which for which, (_, used) in self._kept.items() if used < before]
        if idle:
            self._dismiss()
        for which in idle:
            del self._kept[which]
        return len(idle)

    def _too_much(self) -> bool:
        return len(self._kept) > self._most or (
            self._most_bytes is not None and self.bytes > self._most_bytes
        )

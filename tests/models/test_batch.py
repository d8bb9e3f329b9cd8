"""Frames go together, and fail alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
import torch

from models.batch import Batch
from models.begun import Begun
from models.call import FrameCall
from models.clock import Clock
from models.errors import MattingError
from models.graphs.frame import FrameKey
from models.graphs.programs import FrameJob
from models.graphs.runner import FrameResult
from models.operating_point import OperatingPoint
from models.report import Composite

KEY = FrameKey(4, 8, OperatingPoint(0.5, 16))


class Pipeline:
    """Has one frame, told apart by its first byte."""

    def __init__(self, number: int, key: FrameKey = KEY) -> None:
        self.number, self._key = number, key
        self.error: Exception | None = None
        self.ready: Composite | None = None
        self.freed = False

    def begin(self, source: Any) -> Any:
        if self.error is not None:
            raise self.error
        nothing: Any = None
        return self.ready or Begun(
            FrameJob(self._key, np.full((6, 8), self.number, np.uint8), nothing, nothing),
            nothing,
            None,
            Clock(lambda: None),
        )

    def finish(self, begun: Begun, result: FrameResult) -> Composite:
        return Composite(result.composite, {}, True, 0.0, "good")

    def free(self) -> None:
        self.freed = True


class Runner:
    """Gives the source back; fails for what it was told to, in flight or at the start."""

    def __init__(self) -> None:
        self.launches: list[list[int]] = []
        self.poison: set[int] = set()
        self.refused: set[int] = set()
        self.error: Exception = RuntimeError("illegal address")

    def launch(self, jobs: Sequence[FrameJob]) -> Any:
        numbers = [int(job.source[0, 0]) for job in jobs]
        self.launches.append(numbers)
        if self.refused & set(numbers):
            raise self.error
        return Landing(self, jobs)


class Landing:
    def __init__(self, runner: Runner, jobs: Sequence[FrameJob]) -> None:
        self._runner, self._jobs = runner, jobs

    def finish(self) -> list[FrameResult]:
        if self._runner.poison & {int(job.source[0, 0]) for job in self._jobs}:
            raise self._runner.error
        view = np.zeros((72, 128, 3), np.float32)
        return [FrameResult(job.source, view, view[..., 0], {}) for job in self._jobs]


def calls(pipelines: Sequence[Pipeline]) -> tuple[list[FrameCall], list[Future[Composite]]]:
    futures: list[Future[Composite]] = [Future() for _ in pipelines]
    frame = np.zeros((6, 8), np.uint8)
    made = [FrameCall(f, p, frame) for f, p in zip(futures, pipelines, strict=True)]  # type: ignore[arg-type]
    return made, futures


def fly(runner: Any, pipelines: Sequence[Pipeline]) -> list[Future[Composite]]:
    made, futures = calls(pipelines)
    Batch(runner, made).finish()
    return futures


def shown(future: Future[Composite]) -> int:
    return int(future.result(0).pixels[0, 0])


def test_every_stream_gets_its_own_frame():
    runner = Runner()
    futures = fly(runner, [Pipeline(n) for n in (3, 1, 2)])
    assert [shown(future) for future in futures] == [3, 1, 2]
    assert runner.launches == [[3, 1, 2]]


@pytest.mark.parametrize("where", ["refused", "poison"])
def test_a_frame_that_breaks_its_batch_fails_alone(where: str):
    runner = Runner()
    getattr(runner, where).add(2)
    first, broken, last = fly(runner, [Pipeline(n) for n in (1, 2, 3)])
    assert (shown(first), shown(last)) == (1, 3)
    with pytest.raises(MattingError, match="illegal address"):
        broken.result(0)
    assert runner.launches == [[1, 2, 3], [1], [2], [3]]


def test_a_frame_alone_is_not_tried_twice():
    runner = Runner()
    runner.poison.add(1)
    (future,) = fly(runner, [Pipeline(1)])
    assert isinstance(future.exception(0), MattingError)
    assert runner.launches == [[1]]


def test_a_frame_that_cannot_begin_does_not_hold_up_the_others():
    unfit, ready, fit = Pipeline(1), Pipeline(2), Pipeline(3)
    unfit.error = ValueError("no frame")
    ready.ready = Composite(np.full((6, 8), 9, np.uint8), {}, False, 0.0, "none")
    runner = Runner()
    futures = fly(runner, [unfit, ready, fit])
    with pytest.raises(MattingError, match="no frame"):
        futures[0].result(0)
    assert (shown(futures[1]), shown(futures[2])) == (9, 3)
    assert runner.launches == [[3]]


def test_a_cancelled_frame_is_left_out():
    made, futures = calls([Pipeline(1), Pipeline(2)])
    futures[0].cancel()
    runner: Any = Runner()
    batch = Batch(runner, made)
    assert len(batch) == 1
    batch.finish()
    assert shown(futures[1]) == 2


def test_frames_whose_programs_came_apart_are_done_one_after_the_other():
    other = KEY._replace(point=OperatingPoint(0.25, 16))
    runner = Runner()
    futures = fly(runner, [Pipeline(1), Pipeline(2, other), Pipeline(3)])
    assert [shown(future) for future in futures] == [1, 2, 3]
    assert runner.launches == [[1, 3], [2]]


def test_a_stream_without_memory_is_refused_in_clear_words_and_gives_back_what_it_had():
    runner = Runner()
    runner.error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    runner.poison.add(2)
    fits, refused = Pipeline(1), Pipeline(2)
    futures = fly(runner, [fits, refused])
    assert shown(futures[0]) == 1
    with pytest.raises(MattingError, match="memory is full and this stream was refused"):
        futures[1].result(0)
    assert refused.freed
    assert not fits.freed

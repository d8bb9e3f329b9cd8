"""Frames of many streams through recorded programs, a bounded number of which is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from models.backends import Fit
from models.device import choose_device
from models.errors import MattingError
from models.graphs.features import plate_features
from models.graphs.frame import FrameKey
from models.graphs.programs import IDLE, FrameJob, Programs, Which
from models.graphs.recording import Work
from models.graphs.runner import LIMITED, FrameRunner
from models.operating_point import OperatingPoint
from tests.models.random_network import make_network
from tests.models.whole_frames import frame_network, room, source

KEY = FrameKey(32, 48, OperatingPoint(0.5, 10_000))
NETWORK = make_network()


class Counting:
    """Records how often it recorded and replayed, and fails when told to."""

    name = "counted"

    def __init__(self) -> None:
        self.recorded = self.replayed = 0
        self.full_from: int | None = None

    def record(self, work: Work) -> Work:
        self.recorded += 1
        if self.full_from is not None and self.recorded >= self.full_from:
            raise torch.OutOfMemoryError("no room")

        def replay() -> None:
            self.replayed += 1
            work()

        return replay


def tensor(rgb: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255


def job(seed: int, key: FrameKey = KEY) -> FrameJob:
    parts = frame_network(NETWORK)
    plate = tensor(room(seed, key.height, key.width))
    return FrameJob(
        key=key,
        source=source(seed, key.height, key.width),
        features=plate_features(parts, plate, Fit(), key.base_size),
        backdrop=tensor(room(seed + 50, key.height, key.width)),
    )


def make(recorder: Counting | None = None, **options: Any) -> FrameRunner:
    return FrameRunner(NETWORK, choose_device("cpu"), recorder=recorder or Counting(), **options)


def composites(runner: FrameRunner, jobs: list[FrameJob]) -> list[np.ndarray]:
    return [result.composite for result in runner.launch(jobs).finish()]


def test_a_batch_gives_each_stream_the_frame_that_it_gets_alone():
    runner = make()
    jobs = [job(seed) for seed in range(3)]
    alone = [composites(runner, [each])[0] for each in jobs]
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        together = composites(runner, [jobs[n] for n in order])
        for number, got in zip(order, together, strict=True):
            assert np.abs(got.astype(int) - alone[number]).max() <= 1
    assert any((alone[0] != each).any() for each in alone[1:])


def test_results_belong_to_the_caller():
    runner = make()
    (first,) = composites(runner, [job(1)])
    before = first.copy()
    composites(runner, [job(2)])
    assert (first == before).all()


def test_a_program_is_recorded_once_for_a_size_a_point_and_a_number():
    recorder = Counting()
    runner = make(recorder)
    one, two = job(1), job(2)
    for _ in range(3):
        composites(runner, [one])
    assert (recorder.recorded, recorder.replayed) == (1, 3)
    composites(runner, [one, two])
    composites(runner, [two, one])
    assert recorder.recorded == 2
    other = KEY._replace(point=OperatingPoint(0.5, 160))
    composites(runner, [job(1, other)])
    assert recorder.recorded == 3
    # Three go through the program of four.
    composites(runner, [one, two, job(3)])
    composites(runner, [one, two, job(3), job(4)])
    assert recorder.recorded == 4


def test_a_plate_that_lies_in_its_lane_is_not_copied_again(monkeypatch: pytest.MonkeyPatch):
    runner = make()
    one, two = job(1), job(2)
    composites(runner, [one, two])
    copied: list[tuple[int, ...]] = []
    copy = torch.Tensor.copy_

    def counted(self: torch.Tensor, other: torch.Tensor, *rest: Any, **named: Any) -> torch.Tensor:
        copied.append(tuple(other.shape))
        return copy(self, other, *rest, **named)

    monkeypatch.setattr(torch.Tensor, "copy_", counted)
    again = composites(runner, [two, one])
    plate = tuple(one.features.plate.shape)
    assert plate not in copied
    composites(runner, [two, job(3)])
    assert copied.count(plate) == 1
    monkeypatch.undo()
    assert np.abs(again[0].astype(int) - composites(runner, [two])[0]).max() <= 1


def test_frames_of_different_programs_are_not_launched_together():
    other = KEY._replace(height=64)
    with pytest.raises(ValueError, match="different"):
        make().launch([job(1), job(1, other)])


def test_without_room_a_stream_is_refused_and_others_go_on():
    recorder = Counting()
    runner = make(recorder)
    first = job(1)
    composites(runner, [first])
    recorder.full_from = 2
    with pytest.raises(MattingError, match=r"memory of .* is full.*64x48"):
        runner.launch([job(2, KEY._replace(height=48, width=64))])
    assert composites(runner, [first])[0].shape == (48, 48)


def test_a_batch_without_room_is_not_tried_again_for_a_while():
    now = 0.0
    recorder = Counting()
    runner = make(recorder, clock=lambda: now)
    jobs = [job(seed) for seed in range(5)]
    assert runner.limit(KEY) == 8
    recorder.full_from = 1
    with pytest.raises(MattingError, match="8 frames"):
        runner.launch(jobs)
    assert runner.limit(KEY) == 4
    now = LIMITED
    assert runner.limit(KEY) == 8


def test_memory_is_known_before_it_is_taken():
    runner = make()
    each = job(1)
    known = runner.stream_bytes(KEY)
    pictures = 2 * 3 * KEY.height * KEY.width * 4  # plate as it was given, and the backdrop
    assert known == each.features.bytes + pictures
    assert runner.memory().programs == 0
    composites(runner, [each])
    memory = runner.memory()
    assert memory.programs > each.features.bytes
    assert memory.network > 4_000_000


class Box:
    """A program as far as keeping it goes."""

    def __init__(self, size: int = 10) -> None:
        self.bytes = size


def kept(make: Callable[[Which], Any], **options: Any) -> Programs:
    return Programs(make, **options)


def which(number: int) -> Which:
    return Which(KEY._replace(height=2 * number), 1)


def test_the_program_that_was_not_used_for_longest_goes_first():
    made: list[Which] = []
    dismissed: list[bool] = []

    def make_box(name: Which) -> Box:
        made.append(name)
        return Box()

    programs = kept(make_box, most=2, dismiss=lambda: dismissed.append(True))
    first = programs.get(which(1))
    programs.get(which(2))
    assert programs.get(which(1)) is first
    programs.get(which(3))
    assert which(2) not in programs
    assert which(1) in programs
    assert len(made) == 3
    assert dismissed == [True]


def test_programs_keep_within_their_memory_but_for_the_one_at_work():
    programs = kept(lambda _: Box(60), most_bytes=100)
    programs.get(which(1))
    programs.get(which(2))
    assert len(programs) == 1
    assert which(2) in programs
    assert programs.bytes == 60


def test_only_idle_programs_make_room():
    now = 100.0
    programs = kept(lambda _: Box(), clock=lambda: now)
    programs.get(which(1))
    now += IDLE + 1
    programs.get(which(2))
    assert programs.drop_idle() == 1
    assert which(2) in programs
    assert programs.drop_idle() == 0

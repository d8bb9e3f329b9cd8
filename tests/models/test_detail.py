"""A live stream ladder as closely as its governor says, as soon as that can be had."""

from __future__ import annotations

from models.detail import Ladder
from models.governor import FRAMES, Governor, Workload
from models.operating_point import LEVELS, OperatingPoint

HD = (720, 1280)


class Workshop:
    """A backend's `ready`: everything takes until `finish`."""

    def __init__(self) -> None:
        self.made: set[tuple[int, int, OperatingPoint]] = set()
        self.asked: set[tuple[int, int, OperatingPoint]] = set()

    def ready(self, height: int, width: int, point: OperatingPoint) -> bool:
        self.asked.add((height, width, point))
        return (height, width, point) in self.made

    def finish(self) -> None:
        self.made |= self.asked


class Slow(Governor):
    """On a device that takes 90 ms for every frame."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(Workload(30, lambda: self.now))

    def frame(self) -> None:
        self.now += 0.09
        self.measured(90, self.level)

    def go_down(self) -> None:
        level = self.level
        for _ in range(4 * FRAMES):
            if self.level > level:
                return
            self.frame()
        raise AssertionError("the governor holds a level that takes 90 ms")


def governed(workshop: Workshop) -> tuple[Ladder, Slow]:
    governor = Slow()
    return Ladder(workshop.ready, accelerator=False, governor=governor), governor


def test_without_a_governor_everything_is_looked_at_and_waited_for():
    ladder = Ladder(Workshop().ready, accelerator=False, governor=None)
    detail = ladder.at(HD)
    assert detail.point is not None
    assert (detail.size, detail.level) == (HD, 0)


def test_a_new_size_cannot_be_looked_at_until_it_is_ready():
    workshop = Workshop()
    ladder, _ = governed(workshop)
    assert ladder.at(HD).point is None
    assert ladder.at(HD).quality is None
    workshop.finish()
    quality = ladder.at(HD).quality
    assert quality is not None
    assert (quality.level, quality.levels) == (0, len(LEVELS))


def test_the_level_before_goes_on_until_the_new_one_is_ready():
    workshop = Workshop()
    ladder, governor = governed(workshop)
    ladder.at(HD)
    workshop.finish()
    before = ladder.at(HD)
    governor.go_down()
    assert ladder.at(HD) == before
    workshop.finish()
    after = ladder.at(HD)
    assert after.level == 1
    assert after.point is not None
    assert before.point is not None
    assert after.point.refine_pixels < before.point.refine_pixels


def test_what_is_no_longer_ready_is_not_waited_for():
    workshop = Workshop()
    ladder, governor = governed(workshop)
    ladder.at(HD)
    workshop.finish()
    ladder.at(HD)
    governor.go_down()
    workshop.made.clear()  # other streams' sizes took its place
    assert ladder.at(HD).point is None


def test_the_last_levels_matte_smaller_frames_of_the_same_shape():
    workshop = Workshop()
    ladder, governor = governed(workshop)
    sizes = []
    for _ in LEVELS:
        ladder.at(HD)
        workshop.finish()
        sizes.append(ladder.at(HD).size)
        if governor.level + 1 < governor.levels:
            governor.go_down()
    assert sizes == [HD, HD, HD, HD, (540, 960), (360, 640)]


def test_a_small_frame_keeps_its_pixels():
    workshop = Workshop()
    ladder, governor = governed(workshop)
    for size, least in (((360, 640), (360, 640)), ((480, 854), (360, 640))):
        ladder.at(size)
        workshop.finish()
        while governor.level + 1 < governor.levels:
            governor.go_down()
        ladder.at(size)
        workshop.finish()
        assert ladder.at(size).size == least


def test_a_level_that_gives_up_nothing_of_a_size_is_none():
    workshop = Workshop()
    ladder, governor = governed(workshop)
    ladder.at((360, 640))
    workshop.finish()
    points = [ladder.at((360, 640)).point]
    while governor.level + 1 < governor.levels:
        governor.go_down()
        ladder.at((360, 640))
        workshop.finish()
        points.append(ladder.at((360, 640)).point)
    assert len(set(points)) == len(points) == 4


def test_another_size_is_judged_by_its_own_frames():
    workshop = Workshop()
    ladder, governor = governed(workshop)
    ladder.at(HD)
    workshop.finish()
    governor.go_down()
    ladder.at((360, 640))
    for _ in range(5):  # less than half a second of frames
        governor.frame()
    assert governor.level == 1  # not judged by what the other size took

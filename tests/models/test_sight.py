"""What a governed stream sees while the networks of its region are made late, or never."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.detail import Ladder
from models.governor import Governor, Workload
from models.lookout import DIFFERENT
from models.operating_point import OperatingPoint
from models.region import Region, Size
from models.sight import Sight
from models.tracking import THUMBNAIL

HD = (720, 1280)
NOBODY = np.zeros(THUMBNAIL, np.float32)


class Late:
    """Whole frames are ready at once, each shape of a region `delay` seconds after it was asked
    for; it is broken where `delay` is infinite."""

    def __init__(self, delay: float) -> None:
        self.delay, self.now = delay, 0.0
        self._asked: dict[tuple[int, int, OperatingPoint], float] = {}

    def ready(self, height: int, width: int, point: OperatingPoint) -> bool:
        if _is_whole((height, width)):
            return True
        return self.now - self._asked.setdefault((height, width, point), self.now) >= self.delay

    def broken(self, height: int, width: int, point: OperatingPoint) -> bool:
        return self.delay == float("inf") and not _is_whole((height, width))


def _is_whole(size: Size) -> bool:
    return abs(size[1] / size[0] - 16 / 9) < 0.02


class Machine:
    """A governed stream of somebody before a desk; whole frames take so many milliseconds."""

    def __init__(self, backend: Late, *costs: float) -> None:
        self.backend, self.costs = backend, costs
        self.governor = Governor(Workload(30, self._time))
        made: Any = backend
        self.sight = Sight(made, whole=False, clock=self._time)
        self.ladder = Ladder(
            backend.ready, accelerator=False, governor=self.governor, prepared=self.sight.prepared
        )
        self.apart = NOBODY.copy()
        self.apart[20:, 45:90] = 2 * DIFFERENT
        self.levels: list[int] = []
        self.shares: list[float] = []

    def run(self, seconds: float) -> None:
        until = self.backend.now + seconds
        while self.backend.now < until:
            detail = self.ladder.at(HD)
            assert detail.point is not None
            assert detail.quality is not None
            region = self.sight.region(detail.size, self.apart, NOBODY, detail.point)
            share = region.share(detail.size)
            cost = self.costs[detail.level] * share
            self.backend.now += max(cost / 1000, 1 / 30)
            quality = replace(detail.quality, looked=share)
            self.ladder.took(cost, quality, usual=self.sight.usual)
            self.levels.append(detail.level)
            self.shares.append(share)

    def _time(self) -> float:
        return self.backend.now


@pytest.mark.parametrize("delay", [0.0, 1.0, 3.0])
def test_whole_frames_that_stand_in_for_a_region_cost_no_quality(delay: float):
    machine = Machine(Late(delay), 46, 41, 35, 29, 18, 12)
    machine.run(60)
    assert set(machine.levels) == {0}
    assert np.median(machine.shares) == 0.5


@pytest.mark.parametrize("delay", [0.0, 1.0, 3.0])
def test_a_level_is_changed_when_its_region_is_there(delay: float):
    machine = Machine(Late(delay), 90, 80, 60, 50, 40, 30)
    machine.run(30)
    first = machine.levels.index(2)
    assert set(machine.levels[first + 60 :]) == {2}
    # But for the one frame a second that is seen whole.
    assert machine.shares[first : first + 5].count(0.5) >= 4


def test_where_no_region_can_be_had_whole_frames_decide_the_level():
    machine = Machine(Late(float("inf")), 46, 41, 35, 29, 18, 12)
    machine.run(60)
    assert set(machine.shares) == {1.0}
    assert machine.levels[-1] == 3


def test_other_frames_than_those_before_are_looked_at_anew():
    machine = Machine(Late(0.0), *[20.0] * 6)
    machine.run(0.1)
    machine.sight.begin_anew()
    point = machine.ladder.at(HD).point
    assert point is not None
    assert machine.sight.prepared(*HD, point)
    assert machine.sight.region(HD, NOBODY, None, point) == Region.whole(HD)

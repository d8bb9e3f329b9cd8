"""Measuring contestants in turns, so that whatever slows the machine slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.benchmark.contestants import Contestant
from models.benchmark.scene import Scene

ROUND: Final = 0.5
"""Seconds that one contestant runs before it is the next one's turn."""

WARM_UPS: Final = 4
"""Frames before anything is timed: compilers and allocators work in the first."""


@dataclass(frozen=True, slots=True)
class Result:
    """How long one contestant's frames took."""

    name: str
    about: str
    frames: int
    p50: float
    p95: float
    p99: float
    """Milliseconds from the source to the composite on the host."""
    stages: dict[str, float]
    """Milliseconds, medians; "between" is what no stage accounts for."""

    @property
    def fps(self) -> float:
        """Frames a second, one after the other."""
        return 1000 / self.p50


def race(
    contestants: Sequence[Contestant],
    scene: Scene,
    seconds: float,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Result]:
    """Each contestant for `seconds` in all, in rounds; at least three frames each."""
    runs = [_Run(contestant, clock) for contestant in contestants]
    for run in runs:
        for number in range(WARM_UPS):
            run.contestant.frame(scene.sources[number % len(scene.sources)])
    while any(run.spent < seconds or len(run.times) < 3 for run in runs):
        for run in runs:
            run.round(scene, min(ROUND, seconds))
    return [run.result() for run in runs]


class _Run:
    def __init__(self, contestant: Contestant, clock: Callable[[], float]) -> None:
        self.contestant, self._clock = contestant, clock
        self.spent = 0.0
        self.times: list[float] = []
        self._stages: list[dict[str, float]] = []

    def round(self, scene: Scene, seconds: float) -> None:
        began = now = self._clock()
        while now - began < seconds:
            source = scene.sources[len(self.times) % len(scene.sources)]
            shown = self.contestant.frame(source)
            before, now = now, self._clock()
            self.times.append(1000 * (now - before))
            self._stages.append(dict(shown.milliseconds))
        self.spent += now - began

    def result(self) -> Result:
        p50, p95, p99 = (float(np.percentile(self.times, p)) for p in (50, 95, 99))
        names = dict.fromkeys(name for stages in self._stages for name in stages)
        stages = {
            name: float(np.median([each.get(name, 0.0) for each in self._stages])) for name in names
        }
        stages["between"] = max(p50 - sum(stages.values()), 0.0)
        contestant = self.contestant
        return Result(contestant.name, contestant.about, len(self.times), p50, p95, p99, stages)

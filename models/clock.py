"""Where the milliseconds of a frame go."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


class Clock:
    """Milliseconds between laps, after the device has caught up."""

    def __init__(self, wait: Callable[[], None]) -> None:
        """`wait` returns when the device has done everything it was given."""
        self._wait = wait
        self._began = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """The time since the last lap went into `stage`."""
        self._wait()
        now = time.perf_counter()
        self._laps[stage] = self._laps.get(stage, 0.0) + 1000 * (now - self._last)
        self._last = now

    def add(self, laps: Mapping[str, float]) -> None:
        """Stages that somebody else has timed, all of them since the last lap."""
        for stage, milliseconds in laps.items():
            self._laps[stage] = self._laps.get(stage, 0.0) + milliseconds
        self._last = time.perf_counter()

    @property
    def spent(self) -> float:
        """All stages so far."""
        return sum(self._laps.values())

    def times(self) -> dict[str, float]:
        """All stages and their total."""
        return {**self._laps, "total": 1000 * (self._last - self._began)}

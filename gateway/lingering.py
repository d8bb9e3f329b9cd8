"""Streams that nobody feeds, for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Lingering:
    """Drops each after a time, unless it is fed again."""

    def __init__(self, seconds: float, drop: Callable[[str], object]) -> None:
        """`drop` is called with the stream's name, at the end."""
        self._seconds = seconds
        self._drop = drop
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def __contains__(self, name: str) -> bool:
        """Whether this stream lingers."""
        return name in self._timers

    @property
    def longest(self) -> str | None:
        """The stream that has lingered longest."""
        return next(iter(self._timers), None)

    def begin(self, name: str) -> None:
        """Nobody feeds this stream any more."""
        loop = asyncio.get_running_loop()
        self._timers[name] = loop.call_later(self._seconds, self._drop, name)

    def end(self, name: str) -> None:
        """It is fed again, or gone."""
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()

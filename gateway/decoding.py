"""Turns at decoding pictures, of which one may take a second and hundreds of megabytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE: Final = 2
MOST_WAITING: Final = 8
"""Requests; each holds the whole file of its picture meanwhile."""


class Crowded(Exception):
    """Too many pictures wait already; worth another try later."""


class Decoding:
    """Runs work on pictures in threads, `AT_ONCE` at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._present = 0

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a turn and do it in a thread; raises `Crowded`, and whatever `work` raises."""
        if self._present >= AT_ONCE + MOST_WAITING:
            raise Crowded
        self._present += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._present -= 1

"""A place for exactly one value, the newest: late video is lost, never queued."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class SlotClosed(Exception):
    """Nothing will be put into the slot any more."""


class Newest(Generic[T]):
    """One value at a time; writers never wait, readers wait for what they have not seen.

    Every value has a version, counted from 1; a reader that jumps from version 3 to 7 has missed
    three values, which is how drops are counted. Lives on one event loop.
    """

    def __init__(self) -> None:
        self._value: T | None = None
        self._version = 0
        self._closed = False
        self._changed = asyncio.Event()

    @property
    def version(self) -> int:
        """How many values were ever put."""
        return self._version

    @property
    def value(self) -> T | None:
        """The newest value, `None` before the first."""
        return self._value

    def put(self, value: T) -> None:
        """Replace the value and wake all readers; ignored after `close`."""
        if self._closed:
            return
        self._value = value
        self._version += 1
        self._wake()

    def close(self) -> None:
        """Let every reader, present and future, end with `SlotClosed`."""
        self._closed = True
        self._wake()

    async def after(self, version: int) -> tuple[int, T]:
        """Wait for a value newer than `version`; returns the newest with its version."""
        while self._version <= version:
            if self._closed:
                raise SlotClosed
            await self._changed.wait()
        if self._closed:
            raise SlotClosed
        assert self._value is not None
        return self._version, self._value

    def _wake(self) -> None:
        # A fresh event per change: a reader that comes back late waits for the next change.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

"""What is compiled for frames of one size each, made beside whoever asks for it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")

KEPT: Final = 12
"""Sizes kept though nobody asks for them: a browser that adapts its resolution walks through three
or four, a governor through six, and a region has five shapes of each."""

IN_USE: Final = 5.0
"""Seconds after which nobody asks for a size any more. Streams at work never push out each other's,
whatever their number."""

FORGIVEN: Final = 60.0
"""Seconds for which a size that could not be made is not made again unless somebody insists."""


@dataclass(slots=True)
class _Entry(Generic[Made]):
    made: Future[Made]
    asked: float


class Sizes(Generic[Key, Made]):
    """One thread asks; another one makes."""

    def __init__(
        self, make: Callable[[Key], Made], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`make` is called on a thread of its own; `clock` gives seconds."""
        self._make, self._clock = make, clock
        self._maker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compile")
        self._entries: OrderedDict[Key, _Entry[Made]] = OrderedDict()
        self._failures: dict[Key, float] = {}

    def ready(self, key: Key) -> bool:
        """Whether `get` would not wait. If it would, this has begun the work."""
        return self._entry(key).made.done()

    def failed(self, key: Key) -> bool:
        """Whether it could not be made, lately. Begins nothing."""
        entry = self._entries.get(key)
        if entry is not None and entry.made.done() and entry.made.exception() is not None:
            self._forget_failed(key)
        since = self._failures.get(key)
        return since is not None and self._clock() - since < FORGIVEN

    def get(self, key: Key) -> Made:
        """Waits for it. What failed fails here once, and is tried again for who asks again."""
        made = self._entry(key).made
        if made.exception() is not None:
            self._forget_failed(key)
        return made.result()

    def close(self) -> None:
        """Join the thread; nothing else is asked afterwards."""
        self._maker.shutdown(wait=True, cancel_futures=True)

    def _entry(self, key: Key) -> _Entry[Made]:
        now, entry = self._clock(), self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(self._maker.submit(self._make, key), now)
            self._let_go(now)
        entry.asked = now
        self._entries.move_to_end(key)
        return entry

    def _let_go(self, now: float) -> None:
        idle = [
            key
            for key, entry in self._entries.items()
            if entry.made.done() and now - entry.asked > IN_USE
        ]
        for key in idle[: max(len(self._entries) - KEPT, 0)]:
            del self._entries[key]

    def _forget_failed(self, key: Key) -> None:
        del self._entries[key]
        self._failures[key] = self._clock()

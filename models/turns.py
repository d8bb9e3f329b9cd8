"""Whose calls are done next: streams take turns, and frames that can go together do."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeVar

from models.call import Call, FrameCall
from models.graphs.frame import FrameKey

Stream = TypeVar("Stream")

PATIENCE: Final = 0.002
"""Seconds that a frame waits for those of other streams: an eighth of a frame's time at 60 a
second. A device at work is not waited for; frames gather meanwhile by themselves."""

ACTIVE: Final = 0.1
"""Seconds since its last frame for which a stream is expected to send another: cameras at 10
frames a second and more."""


class Pick(NamedTuple, Generic[Stream]):
    """What to do now."""

    calls: list[Call[Any]]
    """One call of any kind, or frames of several streams for one program; empty: nothing yet."""
    at_work: list[Stream]
    """The streams of those frames, for `done`."""
    until: float | None
    """When to look again, by the clock, if nothing else happens before; `None`: no sooner."""


class Turns(Generic[Stream]):
    """The calls of all streams. Not thread-safe: whoever shares it locks it."""

    def __init__(
        self,
        limit: Callable[[FrameKey], int] = lambda key: 1,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit` says how many frames of a kind go together at most."""
        self._limit, self._patience, self._clock = limit, patience, clock
        self._lines: dict[int, _Line[Stream]] = {}
        self._order: deque[_Line[Stream]] = deque()  # those with waiting calls, once each

    def open(self, stream: Stream) -> None:
        """A stream that will have calls."""
        self._lines[id(stream)] = _Line(stream)

    def add(self, stream: Stream, call: Call[Any]) -> int:
        """Queue a call; how many of this stream wait now."""
        line = self._lines[id(stream)]
        line.waiting.append((call, self._clock()))
        if isinstance(call, FrameCall):
            line.last_frame = self._clock()
        if len(line.waiting) == 1 and not line.at_work:
            self._order.append(line)
        return len(line.waiting)

    def waiting(self, stream: Stream) -> int:
        """How many calls of this stream wait."""
        return len(self._lines[id(stream)].waiting)

    def remove(self, stream: Stream) -> list[Call[Any]]:
        """Forget a stream; its waiting calls."""
        line = self._lines.pop(id(stream))
        if line in self._order:
            self._order.remove(line)
        return [call for call, _ in line.waiting]

    def pick(self, *, hurry: bool = False) -> Pick[Stream]:
        """What is done next.

        The stream whose turn it is leads; others with a frame for the same program join it. Where
        another stream is expected to have one soon, the frame waits a little, unless there is a
        `hurry`; meanwhile others whose calls need not wait are served.
        """
        now, until = self._clock(), None
        for lead in self._order:
            call, since = lead.waiting[0]
            key = call.key() if isinstance(call, FrameCall) else None
            if key is None:
                return Pick(self._take([lead]), [], None)
            most = self._limit(key)
            group = [lead, *self._mates(lead, key)][:most]
            lead_until = since + self._patience
            if hurry or len(group) == most or now >= lead_until or not self._missing(key, now):
                for line in group:
                    line.key, line.at_work = key, True
                return Pick(self._take(group), [line.stream for line in group], None)
            until = lead_until if until is None else min(until, lead_until)
        return Pick([], [], until)

    def done(self, streams: list[Stream]) -> None:
        """The frames of these streams are finished: their next calls may begin."""
        for stream in streams:
            line = self._lines.get(id(stream))
            if line is not None and line.at_work:
                line.at_work = False
                if line.waiting:
                    self._order.append(line)

    def _mates(self, lead: _Line[Stream], key: FrameKey) -> list[_Line[Stream]]:
        """Other streams whose next call is a frame for the same program, in their order."""
        return [line for line in self._order if line is not lead and line.next_key() == key]

    def _missing(self, key: FrameKey, now: float) -> bool:
        """Whether a stream that used this program is about to send a frame."""
        return any(
            line.key == key
            and not line.waiting
            and not line.at_work
            and now - line.last_frame < ACTIVE
            for line in self._lines.values()
        )

    def _take(self, lines: list[_Line[Stream]]) -> list[Call[Any]]:
        calls = []
        for line in lines:
            self._order.remove(line)
            calls.append(line.waiting.popleft()[0])
            if line.waiting and not line.at_work:
                self._order.append(line)
        return calls


class _Line(Generic[Stream]):
    """The calls of one stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.waiting: deque[tuple[Call[Any], float]] = deque()
        self.key: FrameKey | None = None  # of its last frame
        self.last_frame = float("-inf")
        self.at_work = False

    def next_key(self) -> FrameKey | None:
        call, _ = self.waiting[0]
        return call.key() if isinstance(call, FrameCall) else None

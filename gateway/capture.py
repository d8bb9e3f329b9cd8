"""When what arrives was captured, on this machine's clock. Pure.

Sound and picture take different ways and times to get here, so that lips and voice can only be
brought together again by when they were captured. A sender's reports (RFC 3550, 6.4.1) say at which
of *its* seconds a timestamp was captured, the same clock for sound and picture. Until the first of
them, up to five seconds with browsers, and with senders whose reports make no sense, a timestamp
was captured when it could be here at the earliest, as far as its arrivals tell.
"""

from __future__ import annotations

from typing import Any, Final

LEAP: Final = 1.0
"""Seconds that two estimates may be apart; beyond, a clock or a source began anew."""
RISE: Final = 0.001
"""Seconds a second by which an earliest arrival is forgotten: ten times what clocks drift."""
STEADY: Final = 0.2
"""Weight of the newest report: senders compute them from timers with some milliseconds of error."""


class SenderClock:
    """A sender's clock seen from here; shared by its sound and its picture."""

    def __init__(self) -> None:
        self.ahead: float | None = None
        """Our monotonic seconds less the sender's, and the shortest way here, which both share."""
        self._last = 0.0

    def heard(self, theirs: float, now: float) -> bool:
        """A report that was written at `theirs` is here; whether that fits those before."""
        found = now - theirs
        if self.ahead is None:
            self.ahead = found
        elif abs(found - self.ahead) > LEAP:
            return False
        # What a report waited on its way says nothing, and must not move what is dated by it.
        self.ahead = min(found, self.ahead + RISE * (now - self._last))
        self._last = now
        return True


class Timeline:
    """When the timestamps of one source were captured; all in seconds, timestamps too."""

    def __init__(self, clock: SenderClock | None = None) -> None:
        self._clock = clock or SenderClock()
        self._earliest: float | None = None
        """Arrival less timestamp."""
        self._last = 0.0
        self._reported: float | None = None
        """The sender's clock less timestamp."""

    def arrived(self, timestamp: float, now: float) -> None:
        """What is stamped so was captured, and could be sent, by `now`."""
        found = now - timestamp
        if self._earliest is None or abs(found - self._earliest) > LEAP:
            self._earliest = found
            self._reported = None
        else:
            self._earliest = min(found, self._earliest + RISE * (now - self._last))
        self._last = now

    def reported(self, theirs: float, timestamp: float, now: float) -> None:
        """The sender says that it was `theirs` on its clock when `timestamp` was captured."""
        if not self._clock.heard(theirs, now):
            self._reported = None
            return
        found = theirs - timestamp
        if self._reported is None or abs(found - self._reported) > LEAP:
            self._reported = found
        else:
            self._reported += STEADY * (found - self._reported)

    def at(self, timestamp: float) -> float | None:
        """Our monotonic second at which it was captured, later by the way here."""
        if self._earliest is None:
            return None
        if self._reported is not None and self._clock.ahead is not None:
            found = self._reported + self._clock.ahead
            if abs(found - self._earliest) < LEAP:
                return timestamp + found
        return timestamp + self._earliest


def captured(track: object, timed: Any, now: float) -> float:
    """When a frame or packet that a track has just given was captured; `now` if nobody knows."""
    timeline: Timeline | None = getattr(track, "timeline", None)
    if timeline is None or timed.pts is None:
        return now
    base = timed.time_base
    found = timeline.at(timed.pts * base.numerator / base.denominator)
    return now if found is None else found

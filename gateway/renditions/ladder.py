"""Which lines may share an encoder: bit rates in steps, and when to take one. Pure."""

from __future__ import annotations

import bisect
import math
import time
from collections.abc import Callable
from typing import Final

from gateway.transport.encoders import Downlink

STEP: Final = 4 / 3
"""From rung to rung, about. An estimate stays below 1.5 times what arrives
(draft-ietf-rmcat-gcc-02, section 5.5), which the slowest line of a rung decides for all: with wider
steps those who sit beside somebody without estimates could never show that the next rung fits."""
MARGIN: Final = 1.05
"""How far beyond a rung's beginning an estimate has to be to move up: they swing by some per cent.
"""
HOLD: Final = 3.0
"""Seconds that it has to stay there, doubled whenever moving up was a mistake: each move costs a
key frame."""
HOLD_LIMIT: Final = 16 * HOLD
MISTAKE: Final = 20.0
"""Seconds within which who went up and comes down again should not have gone."""


class Ladder:
    """Rungs from a downlink's minimum to its maximum; rung 0 is the lowest."""

    def __init__(self, downlink: Downlink) -> None:
        span = downlink.maximum / downlink.minimum
        count = max(1, round(math.log(span) / math.log(STEP)))
        self.floors = tuple(round(downlink.minimum * span ** (n / count)) for n in range(count))
        """Bits per second from which each rung can be sat on."""

    def rung(self, bitrate: float) -> int:
        """The highest rung that this many bits per second allow."""
        return max(0, bisect.bisect_right(self.floors, bitrate) - 1)

    def safe_rung(self, bitrate: float) -> int:
        """The same with a margin."""
        return self.rung(bitrate / MARGIN)


class Climb:
    """One line's way between rungs: down at once, up when the line has long allowed it."""

    def __init__(self, ladder: Ladder, clock: Callable[[], float] = time.monotonic) -> None:
        self._ladder = ladder
        self._clock = clock
        self._since: float | None = None
        self._lowest = 0
        self._hold = HOLD
        self._climbed: float | None = None

    def wanted(self, rung: int, bitrate: int) -> int:
        """Where to sit, for a line with `bitrate` that sits on `rung`."""
        allowed, safe = self._ladder.rung(bitrate), self._ladder.safe_rung(bitrate)
        now = self._clock()
        if safe <= rung:
            self._since = None
            if allowed < rung:
                self._come_down(now)
            return min(allowed, rung)
        if self._since is None:
            self._since, self._lowest = now, safe
        self._lowest = min(self._lowest, safe)
        if now - self._since < self._hold:
            return rung
        self._since, self._climbed = None, now
        return self._lowest

    def _come_down(self, now: float) -> None:
        if self._climbed is None:
            return
        hasty = now - self._climbed < MISTAKE
        self._hold = min(2 * self._hold, HOLD_LIMIT) if hasty else HOLD
        self._climbed = None

"""Which lines may share an encoder: bit rates in steps, and when to take one. Pure."""

from __future__ import annotations

import bisect
import math
import time
from collections.abc import Callable
from typing import Final

from gateway.transport.encoders import Downlink

STEP: Final = 1.5
"""From rung to rung, about. A receiver's estimate stays below 1.5 times what arrives
(draft-ietf-rmcat-gcc-02, section 5.5): with wider steps nobody could ever show that the next one
fits, with narrower ones fewer would share."""
MARGIN: Final = 1.1
"""How far beyond a rung's beginning an estimate has to be to move up: they swing by some per cent.
"""
HOLD: Final = 3.0
"""Seconds that it has to stay there: moving costs a key frame."""


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

    def wanted(self, rung: int, bitrate: int) -> int:
        """Where to sit, for a line with `bitrate` that sits on `rung`."""
        allowed, safe = self._ladder.rung(bitrate), self._ladder.safe_rung(bitrate)
        if safe <= rung:
            self._since = None
            return min(allowed, rung)
        now = self._clock()
        if self._since is None:
            self._since, self._lowest = now, safe
        self._lowest = min(self._lowest, safe)
        if now - self._since < HOLD:
            return rung
        self._since = None
        return self._lowest

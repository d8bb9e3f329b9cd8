"""Packets that are missing: when to ask for them again, and how long a retransmission takes. Pure.

aiortc 1.16 asks when a new gap appears and never again, and forgets gaps after 128 packets, which
is 150 ms of 8 Mbit/s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST_ASKED: Final = 10
"""Times that one packet is asked for."""
REMEMBERED: Final = 2.0
"""Seconds after which a missing packet is forgotten; senders remember about one."""
FIRST_GUESS: Final = 0.1
"""Seconds that a retransmission is taken to need until one was seen."""
SOONEST: Final = 0.02
"""Seconds between two requests for the same packet, at least."""
OVERTAKEN: Final = 0.01
"""Seconds within which a missing packet has merely been overtaken: it tells no round trip. One that
short is not learnt, then, and the guess is kept."""
SMOOTHING: Final = 0.25


@dataclass(slots=True)
class Gap:
    """One missing packet; times in seconds."""

    since: float
    first: float | None = None
    """When it was asked for first."""
    last: float = 0.0
    asked: int = 0
    given_up: bool = False


class Gaps:
    """What is missing of one video, by unwrapped sequence number."""

    def __init__(self) -> None:
        self.round_trip = FIRST_GUESS
        """Seconds from asking to the packet's arrival, averaged."""
        self._gaps: dict[int, Gap] = {}
        self._highest: int | None = None

    @property
    def patience(self) -> float:
        """Seconds that a frame waits for its packets: room for asking twice and a little more."""
        return min(max(3 * self.round_trip, 0.12), 1.0)

    def arrived(self, number: int, now: float) -> tuple[bool, bool]:
        """Note a packet; whether a new gap appeared before it, and whether it filled an old one."""
        gap = self._gaps.pop(number, None)
        if gap is not None:
            if gap.first is not None and now - gap.first >= OVERTAKEN:
                # Of several requests nobody knows which was answered: the first, at worst.
                taken = now - gap.first
                self.round_trip += SMOOTHING * (min(taken, 1.0) - self.round_trip)
            return False, gap.asked > 0
        if self._highest is None or number <= self._highest:
            self._highest = number if self._highest is None else self._highest
            return False, False
        new = range(self._highest + 1, number)
        self._gaps.update((missing, Gap(now)) for missing in new)
        self._highest = number
        return len(new) > 0, False

    def due(self, now: float) -> list[int]:
        """Those to ask for now; they count as asked for."""
        for number in [n for n, gap in self._gaps.items() if now - gap.since > REMEMBERED]:
            del self._gaps[number]
        numbers = [n for n, gap in self._wanted() if self._next(gap) <= now]
        for number in numbers:
            gap = self._gaps[number]
            gap.first = now if gap.first is None else gap.first
            gap.last = now
            gap.asked += 1
        return sorted(numbers)

    def next_due(self) -> float | None:
        """When `due` has something again, `None` while nothing is wanted."""
        return min((self._next(gap) for _, gap in self._wanted()), default=None)

    def since(self, number: int) -> float | None:
        """When a packet was found to be missing; `None`: it came, or cannot come any more."""
        gap = self._gaps.get(number)
        return None if gap is None else gap.since

    def give_up(self, below: int) -> None:
        """Ask no more for packets before `below`; their arrival still tells the round trip."""
        for number, gap in self._gaps.items():
            if number < below:
                gap.given_up = True

    def _wanted(self) -> Iterator[tuple[int, Gap]]:
        for number, gap in self._gaps.items():
            if not gap.given_up and gap.asked < MOST_ASKED:
                yield number, gap

    def _next(self, gap: Gap) -> float:
        if not gap.asked:
            return gap.since
        return gap.last + max(1.25 * self.round_trip, SOONEST)

"""Whether something grows: a verdict over samples of a long run. Pure arithmetic."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SETTLING: Final = 0.2
"""Share of a run that is not judged: caches and pools fill, and all of it happens once."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much is still called flat."""

    per_hour: float
    slack: float
    """Growth that is never held against it: an allocator's, or somebody who is just arriving."""


LIMITS: Final[Mapping[str, Limit]] = {
    "memory_mib": Limit(per_hour=16.0, slack=32.0),
    "threads": Limit(per_hour=0.5, slack=4.0),
    "descriptors": Limit(per_hour=0.5, slack=8.0),
}
"""Of a server. A thread or descriptor lost once per visit of half a minute is 120 an hour; a lost
frame of 640x360 per visit 40 MiB."""


@dataclass(frozen=True, slots=True)
class Growth:
    """One quantity from the first to the last third of what is judged."""

    name: str
    before: float
    after: float
    per_hour: float
    allowed: float
    """How far `after` may lie above `before`."""

    @property
    def flat(self) -> bool:
        """Whether it may be called flat."""
        return self.after - self.before <= self.allowed

    def __str__(self) -> str:
        """A line for people."""
        verdict = "flat" if self.flat else "GROWS"
        return (
            f"{self.name:<12} {self.before:8.1f} to {self.after:8.1f} ({self.per_hour:+.1f} an "
            f"hour; at most {self.allowed:.1f} more is flat)  {verdict}"
        )


def growth(name: str, times: Sequence[float], values: Sequence[float], limit: Limit) -> Growth:
    """Compare medians of the first and the last third, after `SETTLING`.

    Medians, because people come and go while it is sampled; thirds, because they are an hour's
    worth of many visits each.

    Raises:
        ValueError: fewer than three samples are left to judge.
    """
    begin = times[0] + SETTLING * (times[-1] - times[0]) if times else 0.0
    judged = [(at, value) for at, value in zip(times, values, strict=True) if at >= begin]
    third = len(judged) // 3
    if not third:
        raise ValueError(f"{len(judged)} samples of {name} are too few to judge")
    first, last = judged[:third], judged[-third:]
    before = statistics.median(value for _, value in first)
    after = statistics.median(value for _, value in last)
    hours = (_middle(last) - _middle(first)) / 3600
    return Growth(
        name=name,
        before=before,
        after=after,
        per_hour=(after - before) / hours if hours else 0.0,
        allowed=limit.slack + limit.per_hour * hours,
    )


def _middle(part: Sequence[tuple[float, float]]) -> float:
    return (part[0][0] + part[-1][0]) / 2

"""What a bad line does to packets, decided by a seed so that it can be repeated. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

OVERTAKEN: Final = 0.020
"""Seconds that a reordered packet is late by beyond its delay: behind a frame's worth of others."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """One direction of a line; the other has the same, with its own chances."""

    loss: float = 0.0
    """Share of packets, 0..1."""
    delay: float = 0.0
    """Seconds."""
    jitter: float = 0.0
    """Seconds added to `delay`, equally likely from none to all; order is kept."""
    reorder: float = 0.0
    """Share of packets that later ones overtake, 0..1."""
    burst: float = 0.0
    """Seconds without any packet."""
    burst_every: float = 5.0
    """Seconds from the beginning of one burst to the next; the first comes after this long."""

    @property
    def any(self) -> bool:
        """Whether it does anything."""
        return any((self.loss, self.delay, self.jitter, self.reorder, self.burst))

    def in_burst(self, since: float) -> bool:
        """Whether `since` seconds after the beginning nothing passes."""
        return (
            bool(self.burst)
            and since >= self.burst_every
            and (since % self.burst_every < self.burst)
        )

    def bursts(self, seconds: float) -> list[tuple[float, float]]:
        """Beginning and end of every burst that ends within `seconds`."""
        if not self.burst:
            return []
        begins = [self.burst_every * n for n in range(1, int(seconds / self.burst_every) + 1)]
        return [(at, at + self.burst) for at in begins if at + self.burst <= seconds]


class Fate:
    """Decides packet by packet; the same seed and times give the same decisions."""

    def __init__(self, impairment: Impairment, seed: str) -> None:
        self._impairment = impairment
        self._random = random.Random(seed)
        self._last_due = 0.0

    def due(self, since: float) -> float | None:
        """When a packet of `since` arrives, both in seconds from the beginning; `None`: never."""
        line = self._impairment
        # Drawn for every packet alike, so that one option does not shift the chances of another.
        lost, late, overtaken = (self._random.random() for _ in range(3))
        if lost < line.loss or line.in_burst(since):
            return None
        due = since + line.delay + line.jitter * late
        if overtaken < line.reorder:
            return due + OVERTAKEN
        self._last_due = max(due, self._last_due)
        return self._last_due

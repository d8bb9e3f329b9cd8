"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a relay takes for this and that."""

    first: float = 1.0
    """Before the second try, about; it doubles from one to the next."""
    longest: float = 30.0
    """Between two tries, about, unless the other server asks for more."""
    stalled: float = 8.0
    """Without video, after which a connection is given up: SFUs ask for a key frame every second
    or two, and the first one may be lost."""
    settled: float = 10.0
    """That a connection must have lasted for the next wait to be a short one again."""


class Backoff:
    """Doubling waits with jitter: relays that lost one server must not return to it as one."""

    def __init__(
        self, patience: Patience, uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._patience = patience
        self._uniform = uniform
        self._tries = 0

    def next(self, asked: float = 0.0) -> float:
        """Seconds until the next try; never less than the other server `asked` for."""
        # Beyond 2**20 the doubling has long met its bound.
        doubled = self._patience.first * 2.0 ** min(self._tries, 20)
        base = min(doubled, self._patience.longest)
        self._tries += 1
        if asked:
            return max(asked, base / 2) + self._uniform(0, base / 2)
        return self._uniform(base / 2, base)

    def reset(self) -> None:
        """It went well."""
        self._tries = 0

"""One side of a relay: a connection that is opened again and again, for as long as that helps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeAlias

from gateway.owned_tasks import apart
from gateway.relays.backoff import Backoff
from gateway.relays.calls import CallFailed
from gateway.relays.endpoint import Endpoint
from gateway.relays.outbound import Refused

State: TypeAlias = Literal["waiting", "connecting", "connected", "retrying", "ended"]
Tell: TypeAlias = Callable[[str], object]
"""Takes a line for people."""


class Hopeless(Exception):
    """Another try would be of no use; the message says what somebody has to change."""


class Leg:
    """Pulling, or pushing."""

    def __init__(
        self,
        does: Literal["pull", "push"],
        endpoint: Endpoint,
        backoff: Backoff,
        settled: float,
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`settled` as in `Patience`."""
        self.endpoint = endpoint
        self.state: State = "waiting"
        self.trouble = ""
        """Why the newest connection ended, or could not be opened."""
        self.connections = 0
        """How many stood, as a sum."""
        self._does = does
        self._backoff = backoff
        self._settled = settled
        self._tell = tell
        self._clock = clock
        self._next_try = 0.0
        self._since: float | None = None

    async def keep(
        self, connect: Callable[[Callable[[], None]], Coroutine[Any, Any, None]]
    ) -> None:
        """Run `connect` until it is hopeless; raises `Hopeless`.

        `connect` calls what it is given once the connection stands, and raises `CallFailed` or
        `Refused` when it stands no longer.
        """
        while True:
            self._since = None
            try:
                await apart(connect(self._connected))
            except Refused as error:
                self._ended(str(error))
            except CallFailed as error:
                if error.final:
                    self._ended(str(error))
                if self._since is not None and self._lasted() >= self._settled:
                    self._backoff.reset()
                wait = self._backoff.next(error.wait)
                self._next_try = self._clock() + wait
                if str(error) != self.trouble:
                    # Once, and not twice a minute for days.
                    self._tell(f"{self._does}: {error}; again in {wait:.0f} s, and so on")
                self.trouble, self.state = str(error), "retrying"
                await asyncio.sleep(wait)

    def connecting(self) -> None:
        """The next connection is being opened."""
        self.state = "connecting"
        if not self.trouble:
            self._tell(f"{self._does}: connecting with {self.endpoint.place}")

    def describe(self) -> dict[str, Any]:
        """For people and programs."""
        retrying = self.state == "retrying"
        return {
            "server": self.endpoint.place,
            "state": self.state,
            "trouble": self.trouble,
            "connections": self.connections,
            "retry_in": round(max(0.0, self._next_try - self._clock()), 1) if retrying else None,
        }

    def _connected(self) -> None:
        self.state, self.trouble = "connected", ""
        self.connections += 1
        self._since = self._clock()
        self._tell(f"{self._does}: connected with {self.endpoint.place}")

    def _lasted(self) -> float:
        assert self._since is not None
        return self._clock() - self._since

    def _ended(self, reason: str) -> None:
        self.state, self.trouble = "ended", reason
        raise Hopeless(f"{self._does}: {reason}")

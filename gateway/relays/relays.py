"""The relays of this process."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from gateway.owned_tasks import OwnedTasks
from gateway.relays.backoff import Patience
from gateway.relays.leg import Tell
from gateway.relays.outbound import Outbound
from gateway.relays.relay import Plan, Relay
from gateway.settings import Settings
from gateway.worker import Full, Worker

logger = logging.getLogger(__name__)

REMEMBERED: Final = 16
"""Relays that have ended, kept so that somebody can see why."""


class Relays:
    """Begins them, finds them, ends them all."""

    def __init__(
        self, worker: Worker, settings: Settings, patience: Patience | None = None
    ) -> None:
        self._worker = worker
        self._limit = settings.max_relays
        self._deadline = settings.connect_deadline
        self._patience = patience or Patience()
        self._running: dict[str, Relay] = {}
        self._ended: deque[Relay] = deque(maxlen=REMEMBERED)
        self._tasks = OwnedTasks()

    async def begin(self, plan: Plan, outbound: Outbound, tell: Tell | None = None) -> Relay:
        """Begin a relay; raises `Full`, and what `Worker.feeding` raises."""
        if len(self._running) >= self._limit:
            raise Full("the server has as many relays as it may have")
        relay = Relay(
            plan,
            self._worker,
            outbound,
            deadline=self._deadline,
            patience=self._patience,
            tell=tell or (lambda line: logger.info("relay %s: %s", plan.name, line)),
        )
        self._running[relay.id] = relay
        self._tasks.start(self._attend(relay))
        await asyncio.shield(relay.began)
        return relay

    def all(self) -> list[Relay]:
        """Those that run, and the last ones that ended by themselves."""
        return [*self._running.values(), *self._ended]

    def find(self, name: str) -> Relay | None:
        """By its id."""
        return next((relay for relay in self.all() if relay.id == name), None)

    def gauges(self) -> dict[str, int]:
        """How many there are, and how many of them are connected on both sides."""
        running = self._running.values()
        return {
            "relays": len(running),
            "relays_live": sum(each.state == "live" for each in running),
        }

    async def remove(self, relay: Relay) -> None:
        """End it, wait until both servers were told, and forget it."""
        relay.end("it was deleted")
        await relay.finished.wait()
        if relay in self._ended:
            self._ended.remove(relay)

    async def close(self) -> None:
        """End all."""
        for relay in list(self._running.values()):
            relay.end("the server is stopping")
        for relay in list(self._running.values()):
            await relay.finished.wait()
        await self._tasks.close()

    async def _attend(self, relay: Relay) -> None:
        try:
            await relay.run()
        finally:
            del self._running[relay.id]
            if relay.has_begun:
                self._ended.appendleft(relay)
                logger.info("relay %s ended: %s", relay.plan.name, relay.reason)

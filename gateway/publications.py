"""Who feeds which stream: one at a time, and the next one once the one before has let go."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, TypeAlias

from gateway.feed import Feed
from gateway.session import Publication

logger = logging.getLogger(__name__)

LETTING_GO: Final = 30.0
"""Seconds that it may take: a connection is closed within `gateway.peer.CLOSING`, and a relay tells
two servers that it leaves."""

SILENT: Final = 2.0
"""Seconds without video after which a session may be one whose encoder has died."""

Feeder: TypeAlias = Publication | Feed


class NotLetGo(Exception):
    """Whoever feeds a stream was asked to end, and has not."""


class Publications:
    """By the names of their streams."""

    def __init__(self, patience: float = LETTING_GO) -> None:
        self._patience = patience
        self._feeders: dict[str, Feeder] = {}

    def __contains__(self, name: str) -> bool:
        """Whether somebody feeds this stream."""
        return name in self._feeders

    def __len__(self) -> int:
        return len(self._feeders)

    def silent(self, name: str) -> bool:
        """Whether a session feeds this stream, but has brought no video for `SILENT` seconds.

        A feed is never silent: it mends its connections itself.
        """
        feeder = self._feeders.get(name)
        return isinstance(feeder, Publication) and feeder.silence >= SILENT

    async def vacate(self, name: str) -> None:
        """End whoever feeds this stream, and wait until nobody does; raises `NotLetGo`."""
        try:
            async with asyncio.timeout(self._patience):
                while (feeder := self._feeders.get(name)) is not None:
                    feeder.end("another session took over this stream")
                    await feeder.finished.wait()
                    self.leave(feeder)
        except TimeoutError:
            # Ours: every way of feeding a stream has bounds on how long it takes to close.
            logger.error("stream %s was not let go within %g s", name, self._patience)
            raise NotLetGo("the session before has not let this stream go") from None

    async def take_over(self, feeder: Feeder) -> None:
        """Feed the stream from now on; raises `NotLetGo`."""
        await self.vacate(feeder.stream.name)
        self._feeders[feeder.stream.name] = feeder
        feeder.stream.live = True

    def leave(self, feeder: Feeder) -> None:
        """Without effect for who was taken over from already."""
        name = feeder.stream.name
        if self._feeders.get(name) is feeder:
            del self._feeders[name]
            feeder.stream.live = False

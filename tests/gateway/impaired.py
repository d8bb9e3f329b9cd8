"""A bad network inside the process: what one connection sends is lost, late or out of order."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.owned_tasks import OwnedTasks
from gateway.transport.connection import Connection


@dataclass
class Weather:
    """What happens to packets; may be changed at any time. Shares are between 0 and 1."""

    loss: float = 0.0
    delay: float = 0.0
    """Seconds, each packet."""
    jitter: float = 0.0
    """Seconds at most, on top; packets overtake each other."""
    doubled: float = 0.0


class Impairment:
    """One direction of a connection's media; handshakes and checks pass untouched."""

    def __init__(self, weather: Weather | None = None, seed: int = 1) -> None:
        self.weather = weather or Weather()
        self.sent = 0
        self.lost = 0
        self._chance = random.Random(seed)
        self._tasks = OwnedTasks()
        self._timers: set[asyncio.TimerHandle] = set()

    def attach(self, connection: Connection) -> None:
        """Stand between the connection and its network."""
        for transceiver in connection.getTransceivers():
            ice = transceiver.sender.transport.transport
            if not isinstance(ice._send, _Gate):
                ice._send = _Gate(self, ice._send)  # type: ignore[method-assign]

    async def close(self) -> None:
        """Forget what is still on its way."""
        for timer in self._timers:
            timer.cancel()
        await self._tasks.close()

    async def carry(self, data: bytes, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Send a packet, or not."""
        # RTP and RTCP, RFC 7983.
        if not 128 <= data[0] <= 191:
            await send(data)
            return
        self.sent += 1
        weather, chance = self.weather, self._chance
        if chance.random() < weather.loss:
            self.lost += 1
            return
        for _ in range(2 if chance.random() < weather.doubled else 1):
            delay = weather.delay + chance.uniform(0, weather.jitter)
            if delay:
                self._later(delay, data, send)
            else:
                await send(data)

    def _later(self, delay: float, data: bytes, send: Callable[[bytes], Awaitable[None]]) -> None:
        def now() -> None:
            self._timers.discard(timer)
            self._tasks.start(_quietly(send, data))

        timer = asyncio.get_running_loop().call_later(delay, now)
        self._timers.add(timer)


class _Gate:
    def __init__(self, impairment: Impairment, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._impairment = impairment
        self._send = send

    async def __call__(self, data: bytes) -> None:
        await self._impairment.carry(data, self._send)


async def _quietly(send: Callable[[bytes], Awaitable[None]], data: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        await send(data)

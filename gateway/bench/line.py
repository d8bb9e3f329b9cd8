"""A connection's packets on their way through a bad line: counted, lost, delayed, reordered.

Sits between DTLS and ICE on the client's side, so the server and its sockets are as they are. ICE
itself (consent, keep-alive) passes below and is untouched.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final

from aiortc.rtcicetransport import RTCIceTransport

from gateway.bench.impairment import Fate, Impairment
from gateway.transport import hidden

Send = Callable[[bytes], Awaitable[None]]
Receive = Callable[[], Awaitable[bytes]]

MOST_UNDER_WAY: Final = 20_000
"""Packets; a second of eight streams at 8 Mbit/s is half of it."""


class Delayed:
    """Packets that are under way, by when they are due; the first is waited for."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, bytes]] = []
        self._count = 0
        self._changed = asyncio.Event()

    def put(self, due: float, packet: bytes) -> None:
        """`due` in monotonic seconds; packets due together keep their order."""
        if len(self._heap) < MOST_UNDER_WAY:
            self._count += 1
            heapq.heappush(self._heap, (due, self._count, packet))
            self._changed.set()

    async def get(self) -> bytes:
        """The next packet, when it is due."""
        while True:
            self._changed.clear()
            left = self._heap[0][0] - time.monotonic() if self._heap else None
            if left is not None and left <= 0:
                return heapq.heappop(self._heap)[2]
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                continue


class Line:
    """A context manager around one ICE transport; passes packets on as they are until `begin`."""

    def __init__(self, transport: RTCIceTransport, impairment: Impairment, seed: int) -> None:
        self.up = self.down = 0
        """Bytes of payload of UDP that were sent, and that arrived before this line's losses."""
        self.lost = 0
        """Packets, both ways."""
        self._transport = transport
        self._impairment = impairment
        self._fates = {way: Fate(impairment, f"{seed} {way}") for way in ("up", "down")}
        self._began: float | None = None
        self._send: Send = hidden.method(transport, "_send")
        self._receive: Receive = hidden.method(transport, "_recv")
        self._outgoing, self._incoming = Delayed(), Delayed()
        self._broken: ConnectionError | None = None
        self._delivering: asyncio.Task[None] | None = None
        self._collecting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Line:
        hidden.replace(self._transport, "_send", self._send_on)
        hidden.replace(self._transport, "_recv", self._receive_on)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks = [task for task in (self._delivering, self._collecting) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self) -> None:
        """From now on the line is bad."""
        if self._impairment.any and self._began is None:
            self._began = time.monotonic()
            self._delivering = asyncio.create_task(self._deliver())

    async def _send_on(self, packet: bytes) -> None:
        self.up += len(packet)
        if self._began is None:
            await self._send(packet)
        elif self._broken is not None:
            raise self._broken
        else:
            self._pass("up", packet, self._outgoing)

    async def _deliver(self) -> None:
        while self._broken is None:
            packet = await self._outgoing.get()
            try:
                await self._send(packet)
            except ConnectionError as error:
                self._broken = error

    async def _receive_on(self) -> bytes:
        if self._began is None:
            packet = await self._receive()
            self.down += len(packet)
            if self._began is None:
                return packet
            self._pass("down", packet, self._incoming)
        if self._collecting is None:
            self._collecting = asyncio.create_task(self._collect())
        getting = asyncio.create_task(self._incoming.get())
        try:
            await asyncio.wait([getting, self._collecting], return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
            raise self._broken or ConnectionError("the line was closed")
        finally:
            getting.cancel()

    async def _collect(self) -> None:
        while True:
            try:
                packet = await self._receive()
            except ConnectionError as error:
                self._broken = error
                return
            self.down += len(packet)
            self._pass("down", packet, self._incoming)

    def _pass(self, way: str, packet: bytes, under_way: Delayed) -> None:
        assert self._began is not None
        due = self._fates[way].due(time.monotonic() - self._began)
        if due is None:
            self.lost += 1
        else:
            under_way.put(self._began + due, packet)

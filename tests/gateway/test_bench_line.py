"""Packets on their way through a bad line, and real media through it."""

import asyncio
import time

import pytest

from gateway.bench.impairment import Impairment
from gateway.bench.line import Delayed, Line


class Wire:
    """Stands in for an ICE transport: what is sent comes back."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.arriving: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def _send(self, packet: bytes) -> None:
        self.sent.append(packet)

    async def _recv(self) -> bytes:
        packet = await self.arriving.get()
        if packet is None:
            raise ConnectionError
        return packet


async def test_packets_arrive_when_they_are_due_not_in_the_order_they_were_put():
    under_way = Delayed()
    now = time.monotonic()
    under_way.put(now + 0.03, b"late")
    under_way.put(now + 0.01, b"early")
    under_way.put(now + 0.01, b"second")
    assert [await under_way.get() for _ in range(3)] == [b"early", b"second", b"late"]
    assert time.monotonic() >= now + 0.03


async def test_whoever_waits_is_woken_by_a_packet_that_is_due_sooner():
    under_way = Delayed()
    under_way.put(time.monotonic() + 3600, b"never")
    waiting = asyncio.create_task(under_way.get())
    await asyncio.sleep(0)
    under_way.put(time.monotonic(), b"now")
    assert await waiting == b"now"


async def test_until_it_begins_a_line_only_counts():
    wire = Wire()
    async with Line(wire, Impairment(loss=1.0), seed=1) as line:  # type: ignore[arg-type]
        await wire._send(b"four")
        wire.arriving.put_nowait(b"seven!!")
        assert await wire._recv() == b"seven!!"
        assert (line.up, line.down, line.lost) == (4, 7, 0)
    assert wire.sent == [b"four"]


async def test_a_lossy_line_loses_packets_both_ways():
    wire = Wire()
    async with Line(wire, Impairment(loss=1.0), seed=1) as line:  # type: ignore[arg-type]
        line.begin()
        await wire._send(b"gone")
        wire.arriving.put_nowait(b"gone, too")
        wire.arriving.put_nowait(None)
        with pytest.raises(ConnectionError):
            await wire._recv()
        assert line.lost == 2
    assert wire.sent == []


async def test_a_slow_line_delivers_everything_later():
    wire = Wire()
    async with Line(wire, Impairment(delay=0.02), seed=1) as line:  # type: ignore[arg-type]
        line.begin()
        began = time.monotonic()
        for number in range(5):
            wire.arriving.put_nowait(bytes([number]))
        assert [await wire._recv() for _ in range(5)] == [bytes([n]) for n in range(5)]
        assert time.monotonic() - began >= 0.02


async def test_a_closed_transport_is_told_to_who_reads_and_who_sends():
    wire = Wire()

    tried = asyncio.Event()

    async def broken(packet: bytes) -> None:
        tried.set()
        raise ConnectionError

    wire._send = broken  # type: ignore[method-assign]
    async with Line(wire, Impairment(delay=0.001), seed=1) as line:  # type: ignore[arg-type]
        line.begin()
        await wire._send(b"first")
        await tried.wait()
        with pytest.raises(ConnectionError):
            await wire._send(b"second")

"""One person in a measurement: a camera, a connection, and eyes on what comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Final

from aiortc import MediaStreamTrack, RTCRtpSender, RTCRtpTransceiver

from gateway.bench.beep import Ear, Microphone
from gateway.bench.camera import Camera, Viewer
from gateway.bench.errors import BenchError
from gateway.bench.line import Line
from gateway.bench.onlooker import Onlooker
from gateway.bench.plan import Plan
from gateway.bench.record import GRACE, Record
from gateway.bench.reel import Reel
from gateway.owned_tasks import OwnedTasks
from gateway.transport.connection import Connection, Tuning
from gateway.transport.encoders import Downlink

LOOPBACK: Final = "127.0.0.1"
PATIENCE: Final = 60.0
"""Seconds for each step of the way in: the first frame at a new size may compile networks."""
SETTLED: Final = 5
"""Frames that must have come before anything is believed."""


class Participant:
    """An async context manager: inside it, composites of the numbered camera are flowing."""

    def __init__(self, plan: Plan, reel: Reel, seed: int) -> None:
        self.camera = Camera(reel, plan.fps)
        self.viewer = Viewer(self.camera)
        self.onlookers: list[Onlooker] = []
        """Who watches as well, and looks at nothing."""
        self.ear = Ear(self.camera)
        self._plan = plan
        self._seed = seed
        self._stack = AsyncExitStack()
        self._lines: list[Line] = []
        self._watching = OwnedTasks()
        self._sending: RTCRtpTransceiver | None = None

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def measure(self, seconds: float) -> Record:
        """Record what is seen for `seconds`, on the impaired line."""
        before = await self.server_numbers()
        viewer = self.viewer
        skipped, unread, repeated = self.camera.skipped, viewer.unread, viewer.repeated
        looked = [each.frames for each in self.onlookers]
        for line in self._lines:
            line.begin()
        began = time.monotonic()
        traffic = [self._traffic()]
        while (left := began + seconds - time.monotonic()) > 0:
            await asyncio.sleep(min(left, began + len(traffic) - time.monotonic()))
            self._check_alive()
            traffic.append(self._traffic())
        skipped = self.camera.skipped - skipped
        unread, repeated = viewer.unread - unread, viewer.repeated - repeated
        after = await self.server_numbers()
        watched = tuple(
            each.frames - then for each, then in zip(self.onlookers, looked, strict=True)
        )
        await asyncio.sleep(GRACE)
        first = next((n for n, (_, at) in enumerate(viewer.seen) if at >= began), len(viewer.seen))
        return Record(
            began=began,
            seconds=seconds,
            handed=tuple(pair for pair in self.camera.handed if pair[1] >= began),
            seen=tuple(viewer.seen[first:]),
            dated=tuple(viewer.dated[first:]),
            camera_began=self.camera.begin(),
            heard=tuple(beep for beep in self.ear.heard if beep[1] >= began),
            skipped=skipped,
            unread=unread,
            repeated=repeated,
            traffic=tuple(traffic),
            lost_packets=sum(line.lost for line in self._lines),
            codec=self._codec(),
            sizes=tuple(sorted(viewer.sizes)),
            watched=watched,
            server=_over(before, after),
        )

    async def server_numbers(self) -> dict[str, Any]:
        """What the server says of this stream now."""
        return {}

    def connection(self, *, watched: bool = True) -> Connection:
        """A connection that is closed with this participant, who watches what it brings."""
        plan = self._plan
        connection = Connection(
            Tuning(
                addresses=[LOOPBACK],
                uplink=plan.uplink[0],
                downlink=Downlink(*plan.uplink),
                largest=(4096, 4096),
            )
        )
        self._stack.push_async_callback(self._close, connection)
        if watched:
            connection.on("track", self._receive)
        return connection

    def send_camera(self, connection: Connection, direction: str) -> None:
        """Offer the camera in the plan's codec, and the microphone if it has one."""
        self._sending = connection.addTransceiver(self.camera, direction)
        self._sending.setCodecPreferences(preferred(self._plan.codec))
        if self._plan.sound:
            connection.addTransceiver(Microphone(self.camera), direction)

    async def impaired(self, connection: Connection) -> None:
        """Put the plan's line between a connection that has made its offer and the network."""
        # One transport for everything: connections of this project bundle.
        transceivers = connection.getTransceivers()
        line = Line(
            transceivers[0].sender.transport.transport,
            self._plan.impairment,
            self._seed * 10 + len(self._lines),
        )
        self._lines.append(await self._stack.enter_async_context(line))

    async def flowing(self) -> None:
        """Step in, wait for composites that can be read, and let them settle."""
        self.camera.person = True
        wanted = len(self.viewer.seen) + SETTLED
        await self.until(
            lambda: len(self.viewer.seen) >= wanted,
            "no number could be read from what came back"
            f" ({self.viewer.frames} frames of sizes {sorted(self.viewer.sizes)})",
        )
        await asyncio.sleep(self._plan.warm_up)

    async def until(self, condition: Callable[[], bool], complaint: str) -> None:
        """Wait for what no event announces; raises `BenchError`."""
        end = time.monotonic() + PATIENCE
        while not condition():
            self._check_alive()
            if time.monotonic() > end:
                raise BenchError(f"within {PATIENCE:.0f} s {complaint}")
            await asyncio.sleep(0.02)

    def _receive(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._watching.start(self.viewer.watch(track))
        else:
            self._watching.start(self.ear.listen(track))

    def _check_alive(self) -> None:
        if self.viewer.ended:
            raise BenchError("the connection ended; the server's log says why")

    def _traffic(self) -> tuple[float, int, int]:
        up, down = sum(line.up for line in self._lines), sum(line.down for line in self._lines)
        return time.monotonic(), up, down

    def _codec(self) -> str:
        # What the sender was told to use after the answer; aiortc has no public name for it.
        codecs = self._sending._codecs if self._sending is not None else []
        return codecs[0].name if codecs else "none"

    async def _close(self, connection: Connection) -> None:
        await connection.close()
        await connection.join_decoders()
        await self._watching.close()


class Caller(Participant):
    """Calls somebody without a gateway: one encoder, one decoder, the same line but unharmed."""

    async def __aenter__(self) -> Caller:
        async with AsyncExitStack() as stack:
            stack.push_async_exit(self._stack)
            calling, answering = self.connection(), self.connection()
            self.send_camera(calling, "sendonly")
            await calling.setLocalDescription(await calling.createOffer())
            await answering.setRemoteDescription(calling.localDescription)
            await answering.setLocalDescription(await answering.createAnswer())
            await calling.setRemoteDescription(answering.localDescription)
            await self.flowing()
            stack.pop_all()
        return self


def preferred(codec: str) -> list[Any]:
    """A codec by its name, and retransmission, for `setCodecPreferences`."""
    capabilities = RTCRtpSender.getCapabilities("video").codecs
    wanted = [each for each in capabilities if each.mimeType.lower() == f"video/{codec}"]
    return [*wanted, *(each for each in capabilities if each.name == "rtx")]


def _over(before: dict[str, Any], after: dict[str, Any]) -> dict[str, float]:
    """The server's sums over a measurement, and its averages at the end of it."""
    if not after:
        return {}
    sums = ("frames_in", "frames_out", "dropped", "encoded")
    return {
        **{name: float(after[name] - before[name]) for name in sums},
        "latency_ms": float(after["latency_ms"]),
        **{f"{stage}_ms": float(value) for stage, value in after["ms"].items()},
    }

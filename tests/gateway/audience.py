"""A stream on a stage, and senders that watch it: renditions without a network."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamError
from av import VideoFrame
from av.video.frame import PictureType

from gateway.composite_track import CompositeTrack
from gateway.renditions.pool import Renditions
from gateway.renditions.rendition import SharedEncoder
from gateway.renditions.viewer import Viewer
from gateway.slot import Newest
from gateway.stats import Departures
from gateway.transformer import Shown
from gateway.transport.compressors import Shape
from gateway.transport.encoded import EncodedFrame
from gateway.transport.encoders import Downlink, Vp8
from gateway.transport.encoding import Encoding

DOWNLINK = Downlink(2_500_000, 300_000, 8_000_000)
BASE = Fraction(1, 90000)
WIDTH, HEIGHT = 64, 48


def luma_of(number: int) -> int:
    """Of the composite with this number: no two within a second are alike."""
    return 40 + 6 * (number % 30)


async def soon(condition: Callable[[], bool]) -> None:
    """Wait for what an encoder's thread and some turns of the loop bring about."""
    async with asyncio.timeout(20):
        # A turn of the loop may not suffice for threads.
        while not condition():  # noqa: ASYNC110  # many senders have no event in common
            await asyncio.sleep(0.001)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakePacket:
    data: bytes
    is_keyframe: bool

    def __bytes__(self) -> bytes:
        return self.data


class FakeCodec:
    """Says of every frame what it is: which encoder's, of which composite, whether a key frame."""

    def __init__(self, name: int) -> None:
        self._name = name
        self._fresh = True

    def encode(self, frame: VideoFrame) -> list[FakePacket]:
        key = self._fresh or frame.pict_type == PictureType.I
        self._fresh = False
        assert frame.pts is not None
        text = f"{self._name} {frame.pts // 3000} {'key' if key else 'delta'}"
        return [FakePacket(text.encode(), key)]


class FakeCompressor:
    speeds = 1

    def __init__(self, name: int) -> None:
        self._name = name

    def open(self, shape: Shape, ceiling: int, cores: int) -> FakeCodec:
        return FakeCodec(self._name)

    def steer(self, codec: object, frame: VideoFrame, bitrate: int, interval: float) -> None:
        """Costs what it costs."""


class FakeEncoder(Vp8):
    """The real one, clamp and all, around a fake codec."""

    def __init__(self, codec: str, name: int) -> None:
        super().__init__(DOWNLINK, [FakeCompressor(name)])  # type: ignore[list-item]  # its codec is none of av's
        self.codec = codec
        self.taken: list[int] = []
        self.closed = False
        self.working = threading.Event()
        self.free = threading.Event()
        """Cleared while the encoder takes its time."""
        self.free.set()

    def take(self, frame: VideoFrame, *, ask: bool = False) -> EncodedFrame | None:
        assert not self.closed
        assert frame.pts is not None
        self.taken.append(frame.pts // 3000)
        self.working.set()
        assert self.free.wait(20)
        return super().take(frame, ask=ask)

    def close(self) -> None:
        super().close()
        self.closed = True


@dataclass(frozen=True)
class Sent:
    """One frame as it would go to the network."""

    encoder: int
    composite: int
    key: bool
    timestamp: int
    picture: int


class Sender:
    """What aiortc's sender does with a viewer: asks for a frame, packs it, asks for the next."""

    def __init__(self, viewer: Viewer, codec: str = "VP8") -> None:
        self.viewer = viewer
        self.encoder = viewer.agree(codec)
        self.frames: list[tuple[list[bytes], int]] = []
        self.free = asyncio.Event()
        """Cleared while the sender is held up."""
        self.free.set()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                await self.free.wait()
                frame = await self.viewer.recv()
                self.frames.append(self.encoder.pack(frame))

    def estimate(self, bitrate: int) -> None:
        """As a report of the receiver (REMB) does."""
        self.encoder.target_bitrate = bitrate

    @property
    def sent(self) -> list[Sent]:
        found = []
        for payloads, timestamp in self.frames:
            encoder, composite, kind = payloads[0][4:].decode().split()
            picture = int.from_bytes(payloads[0][2:4], "big") & 0x7FFF
            found.append(Sent(int(encoder), int(composite), kind == "key", timestamp, picture))
        return found


class Stage:
    """One stream whose composites come when the test says so, at 30 a second."""

    def __init__(
        self, encoding: Encoding, encoder: Callable[[str], SharedEncoder] | None = None
    ) -> None:
        self.clock = Clock()
        self.composites: Newest[Shown] = Newest()
        self.departures = Departures()
        self.encoders: list[FakeEncoder] = []
        self.senders: list[Sender] = []
        self.shown = 0
        self.pool = Renditions(
            # Nothing is shown again by itself.
            CompositeTrack(self.composites, self.clock, still=1000),
            DOWNLINK,
            encoding,
            self.departures,
            clock=self.clock,
            encoder=encoder or self._fake,
        )

    def _fake(self, codec: str) -> FakeEncoder:
        self.encoders.append(FakeEncoder(codec, len(self.encoders)))
        return self.encoders[-1]

    async def enter(self, codec: str = "VP8") -> Sender:
        """Somebody comes to watch."""
        viewer = self.pool.viewer()
        self.senders.append(Sender(viewer, codec))
        await soon(lambda: viewer.home is not None)
        return self.senders[-1]

    def put(self) -> None:
        """The next composite is there."""
        pixels = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        pixels[:HEIGHT] = luma_of(self.shown)
        self.composites.put(Shown(pixels, 3000 * self.shown, BASE, 1))
        self.shown += 1
        self.clock.now += 1 / 30

    async def show(self, count: int = 1) -> None:
        """The next composites, each encoded by all before the next one comes."""
        for _ in range(count):
            before = self.pool._newest.version
            self.put()
            await soon(lambda v=before: self._encoded_beyond(v))
            await self.settled()

    def _encoded_beyond(self, version: int) -> bool:
        newest, renditions = self.pool._newest.version, list(self.pool._tasks)
        return not renditions or (newest > version and all(r._seen == newest for r in renditions))

    async def settled(self) -> None:
        """Wait until senders that are free have sent what waits for them."""
        await soon(lambda: all(not s.viewer._queued for s in self.senders if s.free.is_set()))


@contextlib.asynccontextmanager
async def stage(encoder: Callable[[str], SharedEncoder] | None = None) -> AsyncIterator[Stage]:
    encoding = Encoding(4)
    made = Stage(encoding, encoder)
    try:
        yield made
    finally:
        made.pool.close()
        for sender in made.senders:
            sender.free.set()
        await asyncio.gather(*(sender.task for sender in made.senders))
        await encoding.close()
        assert all(encoder.closed for encoder in made.encoders)

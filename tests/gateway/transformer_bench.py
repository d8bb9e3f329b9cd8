"""A transformer between a camera and whoever looks, on a clock of the test's own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from gateway.matting import ScriptedEngine, ScriptedStream
from gateway.stats import StreamStats
from gateway.transformer import Transformer
from models.backdrop import Colour
from tests.gateway.grey_camera import PERSON, ROOM
from tests.gateway.loopback import until

TIME_BASE = Fraction(1, 90000)
BACKDROP = Colour(0, 0, 255)
BACKDROP_LUMA = 41
"""Of pure blue, BT.601."""


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Feed(MediaStreamTrack):
    """A camera whose frames the test takes one by one."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._frames: asyncio.Queue[VideoFrame | None] = asyncio.Queue()
        self._count = 0

    def show(self, width: int = 64, height: int = 48, *, person: bool = True) -> None:
        pixels = np.full((height * 3 // 2, width), 128, np.uint8)
        pixels[:height] = ROOM
        if person:
            pixels[height // 4 : height // 2, width // 4 : width // 2] = PERSON
        frame = VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts, frame.time_base = self._count * 3000, TIME_BASE
        self._count += 1
        self._frames.put_nowait(frame)

    def end(self) -> None:
        self._frames.put_nowait(None)

    async def recv(self) -> VideoFrame:
        frame = await self._frames.get()
        if frame is None:
            raise MediaStreamError
        return frame


class Bench:
    """A transformer between a feed and whoever looks."""

    def __init__(self, freeze: float = 1.0) -> None:
        self.engine = ScriptedEngine()
        self.stream: ScriptedStream = self.engine.open_stream()
        self.stats = StreamStats()
        self.clock = Clock()
        self.notices: list[str] = []
        self.feed = Feed()
        self.transformer = Transformer(
            self.stream,
            self.stats,
            freeze=freeze,
            largest=(640, 480),
            notice=lambda level, text: self.notices.append(text),
            clock=self.clock,
        )
        self.transformer.backdrop = BACKDROP
        self.stream.set_backdrop(BACKDROP)
        self.shown: list[np.ndarray] = []

    async def learn(self) -> None:
        room = np.full((72, 64), 128, np.uint8)
        room[:48] = ROOM
        await asyncio.wrap_future(self.stream.learn_plate([room] * 3))

    async def next(self, **options: object) -> float:
        """Show a source and return the luma of the person's place in what watchers then see."""
        version = self.transformer.composites.version
        self.feed.show(**options)  # type: ignore[arg-type]  # those of `show`
        async with asyncio.timeout(5):
            _, shown = await self.transformer.composites.after(version)
        return float(shown.pixels[13:23, 17:31].mean())

    async def go_on(self, seconds: float = 1.1, **options: object) -> None:
        """The camera goes on for so long, whatever becomes of its frames."""
        until_when = self.clock.now + seconds
        while self.clock.now < until_when:
            came = self.stats.frames_in
            self.clock.now += 0.4
            self.feed.show(**options)  # type: ignore[arg-type]  # those of `show`
            await until(lambda came=came: self.stats.frames_in > came, what="the frame")

    async def look(self) -> None:
        seen = 0
        while True:
            seen, shown = await self.transformer.composites.after(seen)
            self.shown.append(shown.pixels)

    def only_backdrop(self) -> bool:
        """Whether watchers see nobody now."""
        return abs(self.shown[-1][13:23, 17:31].mean() - BACKDROP_LUMA) < 3

    async def settle(self) -> None:
        """Let everything that can happen now happen."""
        for _ in range(5):
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def bench(freeze: float = 1.0) -> AsyncIterator[Bench]:
    made = Bench(freeze)
    run = asyncio.create_task(made.transformer.run(made.feed))
    look = asyncio.create_task(made.look())
    try:
        await asyncio.sleep(0)
        yield made
    finally:
        look.cancel()
        run.cancel()
        await asyncio.gather(run, look, return_exceptions=True)
        made.engine.close()
        # Whatever the test did: the room was never shown to anybody.
        for pixels in made.shown:
            corner = pixels[:6, :6].mean()
            assert abs(corner - ROOM) > 40, "the source was shown"

"""Latest wins and failing closed, without WebRTC and on a clock of our own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from fractions import Fraction

import numpy as np
import pytest
from aiortc import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from gateway.matting import ScriptedEngine, ScriptedStream, Step
from gateway.stats import StreamStats
from gateway.transformer import Transformer
from models.backdrop import Colour
from models.errors import MattingError
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
        self.feed.show(**options)  # type: ignore[arg-type]
        async with asyncio.timeout(5):
            _, shown = await self.transformer.composites.after(version)
        return float(shown.pixels[13:23, 17:31].mean())

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


async def test_a_source_becomes_a_composite_with_its_own_timestamp():
    async with bench() as made:
        await made.learn()
        assert abs(await made.next() - PERSON) < 2
        assert made.transformer.composites.value.pts == 0
        assert abs(await made.next() - PERSON) < 2
        assert made.transformer.composites.value.pts == 3000
        assert made.transformer.composites.value.time_base == TIME_BASE
        assert (made.stats.frames_in, made.stats.frames_out, made.stats.dropped) == (2, 2, 0)


async def test_without_a_plate_the_person_is_not_shown():
    async with bench() as made:
        assert abs(await made.next() - BACKDROP_LUMA) < 3


async def test_only_the_newest_source_waits_for_a_busy_engine():
    async with bench() as made:
        made.engine.script.append(Step(hang=True))
        for _ in range(6):
            made.feed.show()
            await asyncio.sleep(0.005)
        await made.settle()
        made.engine.release()
        await made.settle()
        assert made.stats.frames_in == 6
        assert made.stats.frames_out == 2
        assert made.stats.dropped == 4
        assert made.transformer.composites.value.pts == 5 * 3000


async def test_one_failure_leaves_the_last_composite():
    async with bench() as made:
        await made.learn()
        await made.next()
        last = made.transformer.composites.value
        made.engine.script.append(Step(error=MattingError("out of memory")))
        made.feed.show()
        await made.settle()
        assert made.transformer.composites.value is last
        assert made.stats.failures == 1


@pytest.mark.parametrize("error", [MattingError("ours"), RuntimeError("torch's"), MemoryError()])
async def test_repeated_failures_end_in_the_backdrop_alone(error: BaseException):
    async with bench() as made:
        await made.learn()
        await made.next()
        made.engine.script.extend([Step(error=error)] * 3)
        made.feed.show()
        await made.settle()
        made.clock.now += 1.1
        assert abs(await made.next() - BACKDROP_LUMA) < 3
        await made.settle()
        assert made.notices == ["Matting fails; others see the backdrop alone."]
        made.engine.script.clear()
        await made.settle()
        made.feed.show()
        await made.settle()
        assert abs(await made.next() - PERSON) < 2
        assert made.notices[-1] == "Matting works again."


async def test_a_hanging_engine_ends_in_the_backdrop_and_its_late_answer_is_dropped():
    async with bench() as made:
        await made.learn()
        await made.next()
        made.engine.script.append(Step(hang=True))
        made.feed.show()
        await made.settle()
        made.clock.now += 1.1
        assert abs(await made.next() - BACKDROP_LUMA) < 3
        concealed = made.transformer.composites.value
        made.engine.release()
        await made.settle()
        assert made.stats.late >= 1
        assert made.transformer.composites.value is concealed
        assert abs(await made.next() - PERSON) < 2


def answering_with(made: Bench, rows: int, columns: int) -> ScriptedStream:
    class Cropping(ScriptedStream):
        def _composite(self, source: np.ndarray):  # type: ignore[no-untyped-def]
            return super()._composite(source[:rows, :columns])

    return Cropping(made.engine)


async def test_an_engine_that_answers_with_another_shape_has_failed():
    async with bench() as made:
        made.transformer._matting = answering_with(made, 36, 48)
        made.feed.show()
        await made.settle()
        assert made.stats.failures == 1
        assert made.transformer.composites.value is None


async def test_an_engine_without_time_for_all_pixels_may_answer_with_fewer():
    async with bench() as made:
        made.transformer._matting = answering_with(made, 36, 32)
        made.feed.show()
        await made.settle()
        assert made.stats.failures == 0
        shown = made.transformer.composites.value
        assert shown is not None
        assert shown.pixels.shape == (36, 32)


async def test_an_engine_whose_thread_is_gone_ends_in_the_backdrop():
    async with bench() as made:
        await made.learn()
        await made.next()
        made.engine.thread.shutdown(wait=True)
        made.clock.now += 1.1
        assert abs(await made.next() - BACKDROP_LUMA) < 3
        assert made.stats.failures == 1


async def test_frames_of_a_refused_size_show_the_backdrop_and_never_reach_the_engine():
    async with bench() as made:
        await made.learn()
        await made.next()
        made.clock.now += 1.1
        assert abs(await made.next(width=1024, height=768) - BACKDROP_LUMA) < 3
        assert made.stats.refused == 1
        assert made.stats.frames_out == 1
        assert "another resolution" in made.notices[0]


async def test_while_no_frame_comes_nobody_stands_there_frozen():
    async with bench(freeze=0.3) as made:
        await made.learn()
        assert abs(await made.next() - PERSON) < 2
        await until(made.only_backdrop, what="the backdrop alone")
        # As long as the camera was muted the engine had nothing to answer: it did not fail.
        made.clock.now += 10
        assert abs(await made.next() - PERSON) < 2
        assert made.notices == []


async def test_what_the_engine_makes_of_a_frame_from_before_the_silence_is_not_shown():
    async with bench(freeze=0.3) as made:
        await made.learn()
        await made.next()
        made.engine.script.append(Step(hang=True))
        made.feed.show()
        await until(made.only_backdrop, what="the backdrop alone")
        concealed = made.transformer.composites.value
        made.engine.release()
        await until(lambda: made.stats.late, what="the late answer")
        assert made.transformer.composites.value is concealed


async def test_when_the_camera_ends_the_transformer_does_too_and_shows_the_backdrop():
    async with bench() as made:
        await made.learn()
        await made.next()
        running = asyncio.create_task(made.transformer.run(second := Feed()))
        await asyncio.sleep(0)
        second.end()
        await asyncio.wait_for(running, 2)
        await made.transformer.show_backdrop()
        shown = made.transformer.composites.value
        assert abs(float(shown.pixels[:48].mean()) - BACKDROP_LUMA) < 3

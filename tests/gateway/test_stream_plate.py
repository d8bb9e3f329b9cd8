"""A stream's plate, when captures, pictures and forgetting cross one another."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from fractions import Fraction

import numpy as np
import pytest

from gateway.backdrops import Backdrops
from gateway.matting import ScriptedEngine, ScriptedStream
from gateway.pictures import PictureLimits
from gateway.settings import Settings
from gateway.stream import Stream
from gateway.stream_plate import FEWEST_SHOTS, CaptureImpossible
from gateway.transformer import Source
from gateway.transport.encoding import Encoding
from models.errors import MattingError

ROOM = np.full((40, 60, 3), 128, np.uint8)
HALL = np.full((40, 60, 3), 90, np.uint8)


@contextlib.contextmanager
def stream_of(engine: ScriptedEngine) -> Iterator[Stream]:
    """A stream without any session."""
    backdrops = Backdrops((), PictureLimits(1000, 1000), 1)
    stream = Stream("desk", "k" * 32, engine.open_stream(), backdrops, Settings(), Encoding(1))
    try:
        yield stream
    finally:
        stream.close()
        engine.close()


@contextlib.contextmanager
def busy(engine: ScriptedEngine) -> Iterator[None]:
    """Nothing that is asked inside is answered before the end."""
    go = threading.Event()
    engine.thread.submit(go.wait)
    try:
        yield
    finally:
        go.set()


@contextlib.asynccontextmanager
async def filmed(stream: Stream, fps: float = 60.0) -> AsyncIterator[None]:
    """Frames of a grey wall arrive, and a rate is already known."""

    async def film() -> None:
        pixels = np.full((36, 32), 128, np.uint8)
        while True:
            now = time.monotonic()
            stream.stats.frame_in(now, 32, 24)
            stream.transformer.sources.put(Source(pixels, 0, Fraction(1, 90000), now, 1))
            await asyncio.sleep(1 / fps)

    filming = asyncio.create_task(film())
    await asyncio.sleep(2.5 / fps)
    try:
        yield
    finally:
        filming.cancel()


async def settled() -> None:
    """Everything that can go on without the engine has."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_picture_forgotten_before_the_engine_took_it_is_no_plate():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        with busy(engine):
            loading = asyncio.create_task(stream.plate.load(ROOM))
            await settled()
            forgetting = asyncio.create_task(stream.plate.forget())
            await settled()
        with pytest.raises(CaptureImpossible, match="forgotten") as caught:
            await loading
        await forgetting
        assert caught.value.reason == "cancelled"
        assert stream.plate.state == "none"
        assert stream.plate.report is None
        assert await stream.plate.picture() is None


async def test_a_picture_forgotten_and_loaded_again_is_the_second_one():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        with busy(engine):
            first = asyncio.create_task(stream.plate.load(ROOM))
            await settled()
            forgetting = asyncio.create_task(stream.plate.forget())
            await settled()
            second = asyncio.create_task(stream.plate.load(HALL))
            await settled()
        with pytest.raises(CaptureImpossible):
            await first
        await forgetting
        report = await second
        assert (stream.plate.state, stream.plate.report) == ("ready", report)
        picture = await stream.plate.picture()
        assert picture is not None
        assert picture[0, 0, 0] == 90


async def test_a_picture_loaded_after_a_forgotten_capture_stays():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        async with filmed(stream):
            capturing = asyncio.create_task(stream.plate.capture())
            await settled()
            await stream.plate.forget()
            await stream.plate.load(HALL)
            with pytest.raises(CaptureImpossible, match="forgotten"):
                await capturing
        assert stream.plate.state == "ready"
        assert await stream.plate.picture() is not None


async def test_a_forgotten_capture_does_not_end_the_one_that_came_after():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        async with filmed(stream):
            first = asyncio.create_task(stream.plate.capture())
            await asyncio.sleep(0.1)
            await stream.plate.forget()
            second = asyncio.create_task(stream.plate.capture())
            with pytest.raises(CaptureImpossible, match="forgotten"):
                await first
            assert stream.plate.state == "collecting"
            await second
        assert stream.plate.state == "ready"


async def test_while_a_picture_is_taken_another_plate_has_to_wait():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        async with filmed(stream):
            with busy(engine):
                loading = asyncio.create_task(stream.plate.load(ROOM))
                await settled()
                for other in (stream.plate.capture(), stream.plate.load(HALL)):
                    with pytest.raises(CaptureImpossible) as caught:
                        await other
                    assert caught.value.reason == "busy"
            await loading
            assert stream.plate.state == "ready"
            await stream.plate.capture()


async def test_a_forgotten_plate_that_the_engine_drops_is_no_failure_of_the_engine(
    caplog: pytest.LogCaptureFixture,
):
    class Dropping(ScriptedStream):
        def _load(self, rgb):  # type: ignore[no-untyped-def]
            raise MattingError("a later call has changed the plate")

    class Engine(ScriptedEngine):
        def open_stream(self) -> ScriptedStream:
            self.streams.append(Dropping(self))
            return self.streams[-1]

    engine = Engine()
    with stream_of(engine) as stream:
        with busy(engine):
            loading = asyncio.create_task(stream.plate.load(ROOM))
            await settled()
            forgetting = asyncio.create_task(stream.plate.forget())
            await settled()
        with pytest.raises(CaptureImpossible) as caught:
            await loading
        await forgetting
        assert caught.value.reason == "cancelled"
        assert "engine fails" not in caplog.text


async def test_a_camera_of_six_frames_a_second_gives_enough_for_a_plate():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        async with filmed(stream, fps=6):
            report = await stream.plate.capture()
        assert report.shots == FEWEST_SHOTS

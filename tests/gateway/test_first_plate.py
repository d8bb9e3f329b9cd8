"""The first plate: what becomes one, and what ends the watch for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from gateway import events
from gateway.attendance import untold
from gateway.backdrops import Backdrops
from gateway.first_plate import GAP, HERE, LIMIT, MOST_BYTES, PAUSE, STILLNESS, FirstPlate
from gateway.matting import ScriptedEngine, Step
from gateway.pictures import PictureLimits
from gateway.scenery import Scenery
from gateway.settings import Settings
from gateway.slot import Newest
from gateway.stream import Stream
from gateway.stream_plate import CaptureImpossible
from gateway.transformer import Source
from gateway.transport.encoding import Encoding
from models.report import I420

WALL = np.full((36, 32), 128, np.uint8)
HALL = np.full((40, 60, 3), 90, np.uint8)


def passer_by(i: int) -> np.ndarray:
    """Somebody is somewhere else in every frame."""
    frame = WALL.copy()
    frame[4:20, 2 * (i % 8) : 2 * (i % 8) + 8] = 220
    return frame


@dataclass
class Camera:
    """Frames whose times say that seconds pass; nobody waits for them."""

    stream: Stream
    engine: ScriptedEngine
    fps: float = 10
    now: float = 100.0
    """When the newest frame arrived."""
    taken: float = 500.0
    """When it was taken, by the camera's clock."""
    told: list[events.Event] = field(default_factory=list)

    async def film(
        self,
        seconds: float,
        picture: Callable[[int], np.ndarray] | None = None,
        *,
        busy: bool = False,
        rush: float = 1,
    ) -> None:
        """Every frame is followed by all that comes of it, unless the engine is `busy`.

        Frames arrive `rush` times as fast as they are taken.
        """
        for i in range(round(seconds * self.fps)):
            pixels = WALL if picture is None else picture(i)
            self.now += 1 / self.fps / rush
            self.taken += 1 / self.fps
            pts = round(90000 * self.taken)
            source = Source(pixels, pts, Fraction(1, 90000), self.now, 1)
            self.stream.transformer.sources.put(source)
            await turns()
            if not busy:
                await asyncio.wrap_future(self.engine.thread.submit(int))
                await turns()

    def notices(self) -> list[events.Notice]:
        return [event for event in self.told if isinstance(event, events.Notice)]


async def turns() -> None:
    """Everything that need not wait for the engine is done."""
    for _ in range(8):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def watching(engine: ScriptedEngine | None = None) -> AsyncIterator[Camera]:
    """A stream that was asked for a first plate, and its camera."""
    engine = engine or ScriptedEngine()
    backdrops = Backdrops((), PictureLimits(1000, 1000), 1)
    stream = Stream("desk", "k" * 32, engine.open_stream(), backdrops, Settings(), Encoding(1))
    camera = Camera(stream, engine)
    stream.listeners.add(camera.told.append)
    await stream.prepare(Scenery(plate="first"))
    finding = asyncio.create_task(stream.find_plate())
    await asyncio.sleep(0)
    try:
        yield camera
    finally:
        finding.cancel()
        await asyncio.gather(finding, return_exceptions=True)
        stream.close()
        engine.close()


def progress(camera: Camera) -> str | None:
    first = camera.stream.plate.first
    return None if first is None else first.progress


async def test_three_still_seconds_become_the_plate_and_that_is_said():
    async with watching() as camera:
        await camera.film(STILLNESS - 0.2)
        assert camera.stream.plate.state == "none"
        await camera.film(0.4)
        assert camera.stream.plate.state == "ready"
        assert camera.stream.plate.report is not None
        assert camera.stream.plate.report.shots >= 25
        assert progress(camera) == "learnt"
        assert [notice.level for notice in camera.notices()] == ["info"]
        assert any(isinstance(event, events.PlateChanged) for event in camera.told)


async def test_what_an_encoder_filmed_while_it_connected_counts():
    async with watching() as camera:
        await camera.film(1.2, rush=10)
        await camera.film(STILLNESS - 1.2 - 0.2)
        assert camera.stream.plate.state == "none"
        await camera.film(0.4)
        assert camera.stream.plate.state == "ready"


async def test_a_camera_whose_clock_runs_too_fast_makes_no_plate_of_a_moment():
    async with watching() as camera:
        await camera.film(HERE * 10 - 1, rush=10)
        assert camera.stream.plate.state == "none"


async def test_time_that_jumps_begins_the_stillness_anew():
    for jump in (-5.0, GAP + 0.1):
        async with watching() as camera:
            await camera.film(STILLNESS - 0.5)
            camera.taken += jump
            await camera.film(STILLNESS - 0.5)
            assert camera.stream.plate.state == "none"


async def test_the_log_says_once_why_a_stretch_is_refused_and_that_nothing_came_of_it(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level("INFO")
    async with watching() as camera:
        await camera.film(STILLNESS + 3 * PAUSE, passer_by)
    assert caplog.text.count("3 s are no first plate: moved") == 1
    assert (
        "session ends without a first plate; the latest stretch was refused: moved" in caplog.text
    )


async def test_while_somebody_walks_about_there_is_no_plate_and_then_there_is():
    async with watching() as camera:
        await camera.film(6, passer_by)
        assert camera.stream.plate.first is not None
        assert camera.stream.plate.first.refused == "moved"
        await camera.film(STILLNESS - 0.2)
        assert (camera.stream.plate.state, progress(camera)) == ("none", "watching")
        await camera.film(PAUSE + 0.4)
        assert camera.stream.plate.state == "ready"


async def test_after_half_a_minute_nothing_is_the_first_plate_any_more(
    caplog: pytest.LogCaptureFixture,
):
    async with watching() as camera:
        await camera.film(LIMIT + 1, passer_by)
        assert progress(camera) == "missed"
        await camera.film(2 * STILLNESS)
        assert camera.stream.plate.state == "none"
        (notice,) = camera.notices()
        assert notice.level == "warning"
        assert "Something moved." in notice.text
        (record,) = [each for each in caplog.records if notice.text in each.message]
        assert not untold(record), "whoever prints the notice would have it twice"


async def test_another_camera_or_size_begins_the_stillness_anew():
    async with watching() as camera:
        await camera.film(STILLNESS - 0.5)
        await camera.film(STILLNESS - 0.5, lambda i: np.full((48, 48), 128, np.uint8))
        await camera.film(STILLNESS - 0.5)
        assert camera.stream.plate.state == "none"


async def test_a_plate_that_somebody_gives_meanwhile_is_kept():
    async with watching() as camera:
        await camera.film(1)
        report = await camera.stream.plate.load(HALL)
        await camera.film(3 * STILLNESS)
        assert camera.stream.plate.report is report
        assert progress(camera) == "ended"


async def test_forgetting_ends_the_watch():
    async with watching() as camera:
        await camera.film(1)
        await camera.stream.plate.forget()
        await camera.film(3 * STILLNESS)
        assert camera.stream.plate.state == "none"
        assert camera.stream.plate.first is None


async def test_a_capture_that_is_refused_does_not_end_the_watch():
    async with watching() as camera:
        await camera.film(1)
        with pytest.raises(CaptureImpossible):
            await camera.stream.plate.capture()
        await camera.film(STILLNESS)
        assert camera.stream.plate.state == "ready"


async def test_a_picture_given_while_the_engine_learns_wins():
    engine = ScriptedEngine()
    async with watching(engine) as camera:
        engine.script.append(Step(hang=True))
        hanging = engine.streams[0].composite(WALL)
        await camera.film(STILLNESS + 0.5, busy=True)
        loading = asyncio.create_task(camera.stream.plate.load(HALL))
        await asyncio.sleep(0)
        engine.release()
        report = await loading
        hanging.result()
        await camera.film(STILLNESS)
        assert camera.stream.plate.report is report
        picture = await camera.stream.plate.picture()
        assert picture is not None
        assert picture[0, 0, 0] == 90


async def test_no_first_plate_is_learned_while_the_engine_takes_a_picture():
    engine = ScriptedEngine()
    async with watching(engine) as camera:
        await camera.film(STILLNESS - 0.2)
        engine.script.append(Step(hang=True))
        hanging = engine.streams[0].composite(WALL)
        loading = asyncio.create_task(camera.stream.plate.load(HALL))
        await camera.film(2, busy=True)
        engine.release()
        report = await loading
        hanging.result()
        assert camera.stream.plate.report is report
        assert report.shots == 1


async def test_an_engine_that_fails_is_said_to_fail():
    engine = ScriptedEngine()
    async with watching(engine) as camera:
        engine.streams[0]._learn = None  # type: ignore[method-assign, assignment]  # it fails
        await camera.film(STILLNESS + 0.2)
        assert progress(camera) == "ended"
        assert camera.notices()[0].level == "error"
        assert camera.stream.plate.state == "none"


async def test_a_stream_that_has_a_plate_learns_no_other():
    async with watching() as camera:
        report = await camera.stream.plate.load(HALL)
        await camera.stream.prepare(Scenery(plate="first"))
        await camera.stream.find_plate()
        assert camera.stream.plate.report is report


@pytest.mark.parametrize(("shape", "most"), [((1080 * 3 // 2, 1920), 34), ((3456, 4096), 13)])
async def test_the_shots_of_large_frames_stay_within_bounds(shape: tuple[int, int], most: int):
    sources: Newest[Source] = Newest()
    first = FirstPlate(sources)
    given: list[int] = []

    async def learn(shots: Sequence[I420]) -> bool:
        given.append(len(shots))
        return True

    watch = asyncio.create_task(first.watch(learn, lambda: True))
    frame = np.zeros(shape, np.uint8)
    for i in range(110):
        await asyncio.sleep(0)
        sources.put(Source(frame, 3000 * i, Fraction(1, 90000), i / 30, 1))
    await watch
    assert 9 <= given[0] <= most
    assert given[0] * frame.nbytes <= 1.1 * MOST_BYTES

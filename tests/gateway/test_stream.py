"""Plates and backdrops, through the real application and real WebRTC."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gateway.backdrops import Backdrops
from gateway.matting import ScriptedEngine, ScriptedStream
from gateway.pictures import PictureLimits, encode_jpeg
from gateway.settings import Settings
from gateway.stream import FEWEST_SHOTS, CaptureImpossible, Stream
from gateway.transformer import Source
from models.errors import MattingError
from tests.gateway.loopback import BLACK, running, until

ROOM = np.full((40, 60, 3), 128, np.uint8)
HALL = np.full((40, 60, 3), 90, np.uint8)


async def test_after_the_plate_is_deleted_only_the_backdrop_is_left(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.colour("#000000")
        await page.capture()
        page.camera.person = True
        await until(lambda: page.screen.centre > 180, what="the person appears")
        assert (await page.call("DELETE", "/plate")).status == 204
        await until(lambda: page.screen.centre < 40, what="the person disappears")
        assert abs(page.screen.corner - BLACK) < 12
        assert (await page.call("GET", "/plate")).status == 404
        assert page.seen("plate")[-1].state == "none"


async def test_a_capture_while_something_moves_is_refused_and_the_old_plate_stays(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(5)
        await page.capture()

        async def walk() -> None:
            while True:
                page.camera.person = not page.camera.person
                await asyncio.sleep(0.15)

        walking = asyncio.create_task(walk())
        response = await page.call("POST", "/plate")
        walking.cancel()
        problem = await response.json()
        assert response.status == 409
        assert response.content_type == "application/problem+json"
        assert problem["reason"] == "moved"
        assert "Step out" in problem["detail"]
        shown = await (await page.call("GET", "")).json()
        assert shown["plate"]["state"] == "ready"


async def test_two_captures_at_a_time_are_one_too_many(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(5)
        first, second = await asyncio.gather(
            page.call("POST", "/plate"), page.call("POST", "/plate")
        )
        assert sorted([first.status, second.status]) == [200, 409]
        refused = first if first.status == 409 else second
        assert (await refused.json())["reason"] == "busy"


async def test_a_plate_forgotten_during_its_capture_does_not_come_to_be(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(5)
        capture = asyncio.create_task(page.call("POST", "/plate"))
        await until(
            lambda: gateway.worker.stream(page.stream).plate_state == "collecting",
            what="collecting",
        )
        assert (await page.call("DELETE", "/plate")).status == 204
        response = await capture
        assert response.status == 409
        assert (await response.json())["reason"] == "cancelled"
        assert (await page.call("GET", "/plate")).status == 404


async def test_without_video_there_is_nothing_to_capture(tmp_path: Path):
    async with running(tmp_path, connect_deadline=5.0) as gateway:
        client = gateway.client()
        response = await client.send("/whip", await client.offer_publishing(back=False))
        client.location = response.headers["Location"]
        client.stream = client.location.split("/")[2]
        client.key = response.headers["Cleanplate-Key"]
        refused = await client.call("POST", "/plate")
        assert refused.status == 409
        assert (await refused.json())["reason"] == "no-video"


async def test_a_plate_survives_as_a_picture(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(3)
        await page.capture()
        response = await page.call("GET", "/plate")
        assert response.content_type == "image/png"
        png = await response.read()
        await page.call("DELETE", "/plate")
        restored = await page.call("PUT", "/plate", data=png, headers={"Content-Type": "image/png"})
        assert restored.status == 200
        assert (await restored.json())["shots"] == 1
        assert (await (await page.call("GET", "")).json())["plate"]["state"] == "ready"


async def test_an_uploaded_picture_becomes_the_backdrop(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(3)
        white = encode_jpeg(np.full((90, 160, 3), 255, np.uint8))
        added = await gateway.http.post(
            "/backdrops", data=white, headers={"Content-Type": "image/jpeg"}
        )
        assert added.status == 201
        picture = await added.json()
        chosen = await page.call("PUT", "/backdrop", json={"kind": "picture", "id": picture["id"]})
        assert chosen.status == 204
        await until(lambda: page.screen.corner > 220, what="the uploaded backdrop")
        assert (await (await page.call("GET", "/backdrop")).json())["id"] == picture["id"]


@contextlib.contextmanager
def stream_of(engine: ScriptedEngine) -> Iterator[Stream]:
    """A stream without any session."""
    backdrops = Backdrops((), PictureLimits(1000, 1000), 1)
    stream = Stream("desk", "k" * 32, engine.open_stream(), backdrops, Settings())
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
            loading = asyncio.create_task(stream.load_plate(ROOM))
            await settled()
            forgetting = asyncio.create_task(stream.forget_plate())
            await settled()
        with pytest.raises(CaptureImpossible, match="forgotten") as caught:
            await loading
        await forgetting
        assert caught.value.reason == "cancelled"
        assert stream.plate_state == "none"
        assert stream.report is None
        assert await stream.plate_picture() is None


async def test_a_picture_forgotten_and_loaded_again_is_the_second_one():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        with busy(engine):
            first = asyncio.create_task(stream.load_plate(ROOM))
            await settled()
            forgetting = asyncio.create_task(stream.forget_plate())
            await settled()
            second = asyncio.create_task(stream.load_plate(HALL))
            await settled()
        with pytest.raises(CaptureImpossible):
            await first
        await forgetting
        report = await second
        assert (stream.plate_state, stream.report) == ("ready", report)
        picture = await stream.plate_picture()
        assert picture is not None
        assert picture[0, 0, 0] == 90


async def test_a_picture_loaded_after_a_forgotten_capture_stays():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        async with filmed(stream):
            capturing = asyncio.create_task(stream.capture_plate())
            await settled()
            await stream.forget_plate()
            await stream.load_plate(HALL)
            with pytest.raises(CaptureImpossible, match="forgotten"):
                await capturing
        assert stream.plate_state == "ready"
        assert await stream.plate_picture() is not None


async def test_a_forgotten_capture_does_not_end_the_one_that_came_after():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        async with filmed(stream):
            first = asyncio.create_task(stream.capture_plate())
            await asyncio.sleep(0.1)
            await stream.forget_plate()
            second = asyncio.create_task(stream.capture_plate())
            with pytest.raises(CaptureImpossible, match="forgotten"):
                await first
            assert stream.plate_state == "collecting"
            await second
        assert stream.plate_state == "ready"


async def test_while_a_picture_is_taken_another_plate_has_to_wait():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        async with filmed(stream):
            with busy(engine):
                loading = asyncio.create_task(stream.load_plate(ROOM))
                await settled()
                for other in (stream.capture_plate(), stream.load_plate(HALL)):
                    with pytest.raises(CaptureImpossible) as caught:
                        await other
                    assert caught.value.reason == "busy"
            await loading
            assert stream.plate_state == "ready"
            await stream.capture_plate()


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
            loading = asyncio.create_task(stream.load_plate(ROOM))
            await settled()
            forgetting = asyncio.create_task(stream.forget_plate())
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
            report = await stream.capture_plate()
        assert report.shots == FEWEST_SHOTS

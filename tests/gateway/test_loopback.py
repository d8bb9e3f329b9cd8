"""Real WebRTC through the real application; only the networks are replaced by arithmetic."""

import asyncio
import time
from pathlib import Path

from av import VideoFrame

from gateway.matting import ScriptedEngine, Step
from models.errors import MattingError
from tests.gateway.grey_camera import BLACK, PERSON, ROOM, GreyCamera
from tests.gateway.loopback import running, until


class OddCamera(GreyCamera):
    """321 x 241 pixels."""

    async def recv(self) -> VideoFrame:
        frame = await super().recv()
        odd = frame.reformat(width=321, height=241)
        odd.pts, odd.time_base = frame.pts, frame.time_base
        return odd


async def test_the_page_gets_the_person_before_the_backdrop_and_never_the_room(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.colour("#000000")
        await page.video(5)
        assert abs(page.screen.corner - BLACK) < 12
        report = await page.capture()
        assert (report["width"], report["height"]) == (320, 240)
        page.camera.person = True
        await until(lambda: abs(page.screen.centre - PERSON) < 20, what="the person appears")
        assert abs(page.screen.corner - BLACK) < 12


async def test_before_a_plate_exists_nobody_sees_the_person_or_the_room(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        camera = GreyCamera()
        camera.person = True
        await page.publish(camera=camera)
        await page.colour("#000000")
        await page.video(5)
        page.screen.frames.clear()
        await page.video(20)
        assert max(float(frame[:240].max()) for frame in page.screen.frames) < 60


async def test_a_failing_engine_freezes_then_conceals_and_recovers(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.colour("#000000")
        await page.capture()
        page.camera.person = True
        await until(lambda: page.screen.centre > 180, what="the person appears")
        gateway.engine.script.extend([Step(error=MattingError("out of memory"))] * 40)
        await until(lambda: page.screen.centre < 40, what="the backdrop alone")
        assert abs(page.screen.corner - BLACK) < 12
        await until(lambda: page.screen.centre > 180, what="the person is back")


async def test_a_hanging_engine_conceals_and_its_late_answer_is_not_shown(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.colour("#000000")
        await page.capture()
        page.camera.person = True
        await until(lambda: page.screen.centre > 180, what="the person appears")
        gateway.engine.script.append(Step(hang=True))
        await until(lambda: page.screen.centre < 40, what="the backdrop alone")
        stats = gateway.worker.stream(page.stream).stats
        gateway.engine.release()
        await until(lambda: stats.late >= 1, what="the late answer")
        await until(lambda: page.screen.centre > 180, what="the person is back")


async def test_a_slow_engine_loses_frames_instead_of_time(tmp_path: Path):
    async with running(tmp_path, ScriptedEngine(delay=0.1)) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(3)
        await asyncio.sleep(2.5)
        shown = await (await page.call("GET", "")).json()
        assert shown["stats"]["dropped"] > 20
        assert shown["stats"]["latency_ms"] < 250
        assert 6 <= shown["stats"]["fps_out"] <= 11
        assert shown["stats"]["fps_in"] > 20
        # What is on the screen is what the camera shows now: no queue anywhere.
        await page.capture()
        page.camera.person = True
        began = time.monotonic()
        await until(lambda: page.screen.centre > 180, what="the person appears")
        assert time.monotonic() - began < 1.5


async def test_a_camera_of_odd_size_is_cropped_to_an_even_one(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish(camera=OddCamera())
        await page.video(5)
        assert page.screen.sizes[-1] == (320, 240)


async def test_a_camera_may_change_its_resolution(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(5)
        page.camera.width, page.camera.height = 640, 360
        await until(lambda: page.screen.sizes[-1] == (640, 360), what="the new size")


async def test_frames_beyond_the_limits_are_refused_and_the_backdrop_shown(tmp_path: Path):
    async with running(tmp_path, max_width=320, max_height=240) as gateway:
        page = gateway.client()
        await page.publish()
        await page.colour("#000000")
        await page.capture()
        await until(lambda: abs(page.screen.corner - BLACK) < 12, what="the backdrop")
        stats = gateway.worker.stream(page.stream).stats
        done = stats.frames_out
        page.camera.width, page.camera.height = 640, 480
        await asyncio.sleep(1.0)
        assert stats.frames_out - done < 15
        assert abs(page.screen.corner - BLACK) < 12
        assert abs(page.screen.centre - ROOM) > 60

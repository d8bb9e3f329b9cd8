"""Real WebRTC through the real application; only the networks are replaced by arithmetic."""

import asyncio
import time
from pathlib import Path

import numpy as np
from av import VideoFrame

from gateway.matting import ScriptedEngine, Step
from gateway.pictures import encode_jpeg
from models.errors import MattingError
from tests.gateway.loopback import PERSON, ROOM, GreyCamera, running, until

BLACK = 16
"""Luma of the colour #000000."""


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


async def test_others_watch_the_composite_with_sound(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish(audio=True)
        await page.colour("#000000")
        await page.capture()
        page.camera.person = True
        watchers = [gateway.client(), gateway.client()]
        for watcher in watchers:
            await watcher.watch(page.stream, audio=True)
        for watcher in watchers:
            await watcher.video(5)
            await until(lambda w=watcher: w.screen.centre > 180, what="the person")
            assert abs(watcher.screen.corner - BLACK) < 12
            await until(lambda w=watcher: w.sound.count > 10, what="sound")
        await until(lambda: page.sound.count > 10, what="sound on the page")
        assert (await (await page.call("GET", "")).json())["watchers"] == 2


async def test_a_stream_that_is_not_live_cannot_be_watched_yet(tmp_path: Path):
    async with running(tmp_path) as gateway:
        watcher = gateway.client()
        response = await watcher.send("/whep/nobody", await watcher.offer_watching())
        assert response.status == 409
        assert int(response.headers["Retry-After"]) > 0
        assert (await response.json())["reason"] == "not-live"


async def test_who_reconnects_with_the_key_finds_plate_and_backdrop(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish("/whip/desk")
        await page.colour("#000000")
        await page.capture()
        watcher = gateway.client()
        await watcher.watch("desk")
        await watcher.video(3)
        await page.close()
        await until(lambda: not gateway.worker.is_live(gateway.worker.stream("desk")))

        thief = gateway.client()
        stolen = await thief.send("/whip/desk", await thief.offer_publishing())
        assert stolen.status == 409
        assert (await stolen.json())["reason"] == "name-taken"

        again = gateway.client()
        camera = GreyCamera()
        camera.person = True
        await again.publish("/whip/desk", key=page.key, camera=camera)
        await until(lambda: again.screen.count and again.screen.centre > 180, what="the person")
        assert abs(again.screen.corner - BLACK) < 12
        await until(lambda: again.seen("plate"), what="the plate's state")
        assert again.seen("plate")[0].state == "ready"
        assert again.seen("backdrop")[0].backdrop.rgb == "#000000"
        await until(lambda: watcher.screen.centre > 180, what="the watcher sees the person too")


async def test_a_second_session_with_the_key_takes_over_from_the_first(tmp_path: Path):
    async with running(tmp_path) as gateway:
        first = gateway.client()
        await first.publish("/whip/desk")
        await until(lambda: first.seen("welcome"), what="the welcome")
        second = gateway.client()
        await second.publish("/whip/desk", key=first.key)
        await second.video(3)
        await until(lambda: first.seen("ended"), what="the end of the first")
        assert "took over" in first.seen("ended")[0].reason
        assert gateway.worker.gauges()["sessions"] == 1


async def test_while_the_camera_is_gone_watchers_see_the_backdrop(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.colour("#000000")
        await page.capture()
        page.camera.person = True
        watcher = gateway.client()
        await watcher.watch(page.stream)
        await until(lambda: watcher.screen.count and watcher.screen.centre > 180)
        assert (await gateway.http.delete(page.location)).status == 200
        await until(lambda: watcher.screen.centre < 40, what="the backdrop alone")
        newcomer = gateway.client()
        refused = await newcomer.send(f"/whep/{page.stream}", await newcomer.offer_watching())
        assert refused.status == 409


async def test_a_plain_whip_client_gets_a_recvonly_answer_and_no_composite(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        offer = await client.offer_publishing(back=False)
        assert "a=sendonly" in offer
        response = await client.send("/whip", offer.replace("a=sendonly", "a=sendrecv"))
        assert response.status == 201
        assert "a=recvonly" in client.answer
        assert "a=sendrecv" not in client.answer
        assert "a=rtcp-mux-only" in client.answer
        assert "x-google-start-bitrate" in client.answer


async def test_the_data_channel_tells_what_happens(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await until(lambda: page.seen("stats"), what="statistics")
        welcome = page.seen("welcome")[0]
        assert (welcome.stream, welcome.backend) == (page.stream, "scripted")
        await page.capture()
        await page.colour("#00b140")
        await until(lambda: len(page.seen("backdrop")) == 2, what="the backdrop")
        assert [event.state for event in page.seen("plate")] == ["none", "collecting", "ready"]
        assert page.seen("plate")[-1].report.shots >= 3
        count = len(page.seen("stats"))
        await until(lambda: len(page.seen("stats")) >= count + 2, what="more statistics")
        stats = page.seen("stats")[-1]
        assert (stats.width, stats.height) == (320, 240)
        assert stats.plate.validity == "good"
        assert stats.fps_in > 10
        assert stats.fps_out > 10
        assert stats.ms["total"] > 0
        await gateway.http.delete(page.location)
        await until(lambda: page.seen("ended"), what="the end")


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

"""Plates and backdrops, through the real application and real WebRTC."""

import asyncio
from pathlib import Path

import numpy as np

from gateway.pictures import encode_jpeg
from tests.gateway.grey_camera import BLACK
from tests.gateway.loopback import running, until


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
            lambda: gateway.worker.stream(page.stream).plate.state == "collecting",
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

import asyncio
import io
from pathlib import Path

import numpy as np
import pytest

from gateway.matting import ScriptedEngine
from gateway.pictures import encode_jpeg, encode_png
from tests.gateway.loopback import running, until

JPEG = encode_jpeg(np.full((40, 60, 3), 200, np.uint8))


async def test_the_state_of_a_stream_is_told_to_who_has_its_key(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish("/whip/desk")
        await page.video(3)
        state = await (await page.call("GET", "")).json()
        assert state["name"] == "desk"
        assert state["state"] == "live"
        assert state["backdrop"] == {"kind": "picture", "id": "dark"}
        assert state["plate"]["state"] == "none"
        assert state["stats"]["frames_in"] > 0
        assert set(state["arrivals"]) == {"repaired", "late", "broken", "undecoded", "unread"}
        assert state["watchers"] == 0
        await gateway.http.delete(page.location)
        await until(lambda: not gateway.worker.is_live(gateway.worker.stream("desk")))
        assert (await (await page.call("GET", "")).json())["state"] == "lingering"


async def test_a_stream_that_does_not_exist_is_not_found(tmp_path: Path):
    async with running(tmp_path) as gateway:
        response = await gateway.http.get("/streams/nobody")
        assert response.status == 404
        assert (await response.json())["reason"] == "no-stream"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"not json", 400, "malformed-json"),
        (b"", 400, "malformed-json"),
        (b"\xff\xfe", 400, "malformed-json"),
        (b'{"kind": "colour", "rgb": "pink"}', 422, "backdrop"),
        (b'{"kind": "picture", "id": "../../etc/passwd"}', 422, "unknown-backdrop"),
        (b'{"kind": "blur", "radius": 1000}', 422, "backdrop"),
        (b'{"kind": "colour", "rgb": "' + b"#" * 9000, 413, "too-large"),
    ],
)
async def test_a_bad_choice_of_backdrop_is_refused_and_nothing_changes(
    tmp_path: Path, body: bytes, status: int, reason: str
):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        response = await page.call(
            "PUT", "/backdrop", data=body, headers={"Content-Type": "application/json"}
        )
        assert (response.status, (await response.json())["reason"]) == (status, reason)
        assert (await (await page.call("GET", "/backdrop")).json())["id"] == "dark"


async def test_a_choice_must_be_declared_as_json(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        response = await page.call("PUT", "/backdrop", data=b'{"kind": "transparent"}')
        assert response.status == 415


@pytest.mark.parametrize(
    "choice",
    [
        {"kind": "transparent"},
        {"kind": "blur", "radius": 12.5},
        {"kind": "colour", "rgb": "#A1B2C3"},
        {"kind": "picture", "id": "light"},
    ],
)
async def test_every_kind_of_backdrop_can_be_chosen(tmp_path: Path, choice: dict[str, object]):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        assert (await page.call("PUT", "/backdrop", json=choice)).status == 204
        assert await (await page.call("GET", "/backdrop")).json() == choice


async def test_the_gallery_lists_what_ships_and_shows_it(tmp_path: Path):
    async with running(tmp_path) as gateway:
        listed = (await (await gateway.http.get("/backdrops")).json())["backdrops"]
        assert [picture["id"] for picture in listed] == ["dark", "light"]
        assert listed[0]["built_in"]
        for address in (listed[0]["url"], listed[0]["thumbnail"]):
            response = await gateway.http.get(address)
            assert response.content_type == "image/jpeg"
            assert (await response.read()).startswith(b"\xff\xd8")


async def test_an_upload_is_known_to_its_id_only(tmp_path: Path):
    async with running(tmp_path) as gateway:
        headers = {"Content-Type": "image/jpeg"}
        response = await gateway.http.post("/backdrops", data=JPEG, headers=headers)
        added = await response.json()
        assert response.status == 201
        assert len(added["id"]) >= 22
        assert not added["built_in"]
        listed = (await (await gateway.http.get("/backdrops")).json())["backdrops"]
        assert added["id"] not in [picture["id"] for picture in listed]
        assert (await gateway.http.get(added["url"])).status == 200
        assert (await gateway.http.get(added["thumbnail"])).status == 200
        assert (await gateway.http.delete(added["url"])).status == 204
        assert (await gateway.http.get(added["url"])).status == 404
        assert (await gateway.http.delete(added["url"])).status == 404


async def test_pictures_of_the_gallery_cannot_be_deleted(tmp_path: Path):
    async with running(tmp_path) as gateway:
        assert (await gateway.http.delete("/backdrops/dark")).status == 403


@pytest.mark.parametrize(
    ("data", "kind", "status", "reason"),
    [
        (b"GIF89a" + bytes(100), "image/jpeg", 415, "picture-type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", 415, "picture-type"),
        (JPEG, "image/svg+xml", 415, "content-type"),
        (JPEG[:60], "image/jpeg", 400, "picture-damaged"),
        (bytes(20_000), "image/jpeg", 413, "too-large"),
        (b"", "image/jpeg", 415, "picture-type"),
    ],
)
async def test_a_bad_upload_is_refused(
    tmp_path: Path, data: bytes, kind: str, status: int, reason: str
):
    async with running(tmp_path, max_upload_bytes=10_000) as gateway:
        response = await gateway.http.post("/backdrops", data=data, headers={"Content-Type": kind})
        assert (response.status, (await response.json())["reason"]) == (status, reason)


async def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path):
    async with running(tmp_path, max_upload_pixels=2000) as gateway:
        response = await gateway.http.post(
            "/backdrops", data=JPEG, headers={"Content-Type": "image/jpeg"}
        )
        assert response.status == 413
        assert (await response.json())["reason"] == "picture-pixels"


async def test_a_bad_plate_picture_is_refused_and_the_plate_stays(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.capture()
        response = await page.call(
            "PUT", "/plate", data=b"nothing", headers={"Content-Type": "image/png"}
        )
        assert response.status == 415
        assert (await (await page.call("GET", "")).json())["plate"]["state"] == "ready"


async def test_a_token_does_not_show_the_room(tmp_path: Path):
    token = {"Authorization": "Bearer correct-horse-battery"}
    async with running(tmp_path, tokens=("correct-horse-battery",)) as gateway:
        page = gateway.client()
        await page.accept(await page.send("/whip/desk", await page.offer_publishing(), **token))
        await page.capture()
        assert (await gateway.http.get("/streams/desk", headers=token)).status == 200
        assert (await gateway.http.get("/streams/desk/plate", headers=token)).status == 403
        assert (await page.call("GET", "/plate")).status == 200


async def test_uploading_needs_the_token_where_one_is_configured(tmp_path: Path):
    async with running(tmp_path, tokens=("correct-horse-battery",)) as gateway:
        response = await gateway.http.post(
            "/backdrops", data=JPEG, headers={"Content-Type": "image/jpeg"}
        )
        assert response.status == 401


async def test_an_engine_that_fails_to_learn_is_our_fault_and_said_so(tmp_path: Path):
    class Broken(ScriptedEngine):
        def open_stream(self):  # type: ignore[no-untyped-def]
            stream = super().open_stream()
            stream._learn = None  # type: ignore[method-assign, assignment]
            return stream

    async with running(tmp_path, Broken()) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(3)
        response = await page.call("POST", "/plate")
        assert response.status == 503
        assert (await response.json())["reason"] == "engine"
        assert (await (await page.call("GET", "")).json())["plate"]["state"] == "none"


async def test_many_uploads_at_once_do_not_stop_the_video(tmp_path: Path):
    noise = np.random.default_rng(1).integers(0, 256, (600, 800, 3), np.uint8)
    picture = await asyncio.to_thread(encode_png, noise)
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await page.video(5)
        count = page.screen.count
        headers = {"Content-Type": "image/png"}
        responses = await asyncio.gather(
            *(
                gateway.http.post("/backdrops", data=io.BytesIO(picture), headers=headers)
                for _ in range(8)
            )
        )
        assert {response.status for response in responses} == {201}
        await page.video(1)
        assert page.screen.count > count

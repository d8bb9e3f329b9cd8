"""Kept plates over HTTP, and cameras that return to them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gateway.pictures import encode_png
from tests.gateway.grey_camera import BLACK, PERSON, GreyCamera
from tests.gateway.loopback import Client, Gateway, running, until

TOKEN = {"Authorization": "Bearer correct-horse-battery"}
TOKENS = ("correct-horse-battery",)
KEY = "k" * 32
PICTURE = {"Content-Type": "image/png"}
ROOM = encode_png(np.full((240, 320, 3), 130, np.uint8))


def key(of: str) -> dict[str, str]:
    return {"Cleanplate-Key": of}


async def keep(page: Client, name: str, **headers: str) -> Any:
    """Keep a stream's plate under a name, with the stream's key."""
    return await page.http.put(
        f"/plates/{name}", json={"stream": page.stream}, headers=key(page.key) | headers
    )


async def captured(gateway: Gateway, path: str = "/whip", **options: Any) -> Client:
    page = gateway.client()
    await page.publish(path, **options)
    await page.capture()
    return page


async def test_a_camera_that_returns_finds_its_plate_by_name_and_shows_its_person(tmp_path: Path):
    async with running(tmp_path, stream_linger=0) as gateway:
        page = await captured(gateway)
        kept = await keep(page, "desk")
        assert kept.status == 201
        assert kept.headers["Location"] == "/plates/desk"
        told = await kept.json()
        assert (told["name"], told["width"], told["height"]) == ("desk", 320, 240)
        await gateway.http.delete(page.location)
        await until(lambda: not gateway.worker.gauges()["streams"], what="the stream is forgotten")
        obs = gateway.client()
        await obs.publish("/whip?plate=kept:desk&backdrop=%23000000")
        await until(
            lambda: gateway.worker.stream(obs.stream).plate.state == "ready", what="the plate"
        )
        await obs.video(2)
        assert isinstance(obs.camera, GreyCamera)
        obs.camera.person = True
        await until(lambda: abs(obs.screen.centre - PERSON) < 20, what="the person appears")
        assert abs(obs.screen.corner - BLACK) < 12


async def test_a_stream_takes_a_kept_plate_by_reference(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = await captured(gateway)
        await keep(page, "desk")
        await page.call("DELETE", "/plate")
        taken = await page.call("PUT", "/plate", json={"kept": "desk"})
        assert taken.status == 200
        assert (await taken.json())["shots"] == 1
        assert (await page.call("GET", "/plate")).status == 200
        unknown = await page.call("PUT", "/plate", json={"kept": "hall"})
        assert (unknown.status, (await unknown.json())["reason"]) == (422, "unknown-plate")


async def test_publishing_with_an_unknown_plate_opens_nothing(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        response = await client.send("/whip/desk?plate=kept:desk", await client.offer_publishing())
        assert (response.status, (await response.json())["reason"]) == (422, "unknown-plate")
        assert gateway.worker.gauges()["streams"] == gateway.worker.gauges()["sessions"] == 0


async def test_using_a_plate_shows_it_to_nobody_by_no_detour(tmp_path: Path):
    async with running(tmp_path) as gateway:
        owner = await captured(gateway)
        await keep(owner, "desk")
        thief = gateway.client()
        await thief.publish("/whip/thief?plate=kept:desk")
        plate = gateway.worker.stream("thief").plate
        await until(lambda: plate.state == "ready", what="the plate")
        assert (await thief.call("GET", "/plate")).status == 403
        # Kept once more, it stays its first owner's.
        assert (await keep(thief, "copy")).status == 201
        seen = await gateway.http.get("/plates/copy", headers=key(thief.key))
        assert seen.status == 403
        assert (await gateway.http.get("/plates/copy", headers=key(owner.key))).status == 200
        # A capture of its own is its own again.
        await thief.capture()
        assert (await thief.call("GET", "/plate")).status == 200


async def test_a_picture_is_kept_under_a_key_of_its_own(tmp_path: Path):
    async with running(tmp_path) as gateway:
        kept = await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE)
        assert kept.status == 201
        its_key = kept.headers["Cleanplate-Key"]
        assert len(its_key) >= 22
        picture = await gateway.http.get("/plates/desk", headers=key(its_key))
        assert picture.headers["Cache-Control"] == "no-store"
        with Image.open(io.BytesIO(await picture.read())) as image:
            assert image.size == (320, 240)
            assert not image.info
        again = await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE | key(its_key))
        assert again.status == 200


async def test_a_plate_is_seen_replaced_and_forgotten_with_its_key_only(tmp_path: Path):
    async with running(tmp_path) as gateway:
        await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE | key(KEY))
        for other in ({}, key("o" * 32)):
            assert (await gateway.http.get("/plates/desk", headers=other)).status == 403
            assert (await gateway.http.delete("/plates/desk", headers=other)).status == 403
            put = await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE | other)
            assert (put.status, (await put.json())["reason"]) == (409, "name-taken")
        assert (await gateway.http.delete("/plates/desk", headers=key(KEY))).status == 204
        assert (await gateway.http.get("/plates/desk", headers=key(KEY))).status == 404


async def test_an_operator_keeps_lists_and_forgets_plates_without_seeing_them(tmp_path: Path):
    async with running(tmp_path, tokens=TOKENS) as gateway:
        page = gateway.client()
        await page.accept(await page.send("/whip/desk", await page.offer_publishing(), **TOKEN))
        await page.capture()
        body = {"stream": "desk"}
        assert (await gateway.http.put("/plates/desk", json=body)).status == 401
        assert (await gateway.http.put("/plates/desk", json=body, headers=TOKEN)).status == 201
        listed = await gateway.http.get("/plates", headers=TOKEN)
        assert [plate["name"] for plate in (await listed.json())["plates"]] == ["desk"]
        assert (await gateway.http.get("/plates/desk", headers=TOKEN)).status == 403
        for call in (gateway.http.get, gateway.http.delete):
            assert (await call("/plates/desk", headers=key("o" * 32))).status == 403
        for path in ("/plates", "/plates/desk", "/streams/desk", "/streams/desk/plate"):
            unknown = await gateway.http.get(path, headers={"Authorization": "Bearer nope"})
            assert unknown.status == 401, path
            assert 'error="invalid_token"' in unknown.headers["WWW-Authenticate"]
        for path in ("/plates", "/streams/desk"):
            nothing = await gateway.http.get(path)
            assert nothing.status == 401, path
            assert nothing.headers["WWW-Authenticate"] == 'Bearer realm="Cleanplate"'
        assert (await gateway.http.get("/plates/desk", headers=key(page.key))).status == 200
        assert (await gateway.http.delete("/plates/desk", headers=TOKEN)).status == 204


async def test_a_list_has_what_the_key_opens(tmp_path: Path):
    async with running(tmp_path) as gateway:
        for name, its_key in (("desk", KEY), ("hall", "o" * 32)):
            await gateway.http.put(f"/plates/{name}", data=ROOM, headers=PICTURE | key(its_key))
        assert (await gateway.http.get("/plates")).status == 403
        listed = await (await gateway.http.get("/plates", headers=key(KEY))).json()
        assert [plate["url"] for plate in listed["plates"]] == ["/plates/desk"]


async def test_uploading_a_plate_needs_the_token_where_one_is_configured(tmp_path: Path):
    async with running(tmp_path, tokens=TOKENS) as gateway:
        assert (await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE)).status == 401
        kept = await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE | TOKEN)
        assert kept.status == 201


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "reason"),
    [
        ("/plates/a.b", ROOM, PICTURE, 400, "name"),
        ("/plates/..%2Fdesk", ROOM, PICTURE, 400, "name"),
        ("/plates/desk", ROOM, PICTURE | key("short"), 400, "key"),
        ("/plates/desk", ROOM, {"Content-Type": "text/plain"}, 415, "content-type"),
        ("/plates/desk", b"GIF89a", PICTURE, 415, "picture-type"),
        ("/plates/desk", b"{", {"Content-Type": "application/json"}, 400, "malformed-json"),
        ("/plates/desk", b"[" * 4000, {"Content-Type": "application/json"}, 400, "malformed-json"),
        ("/plates/desk", b"{}", {"Content-Type": "application/json"}, 422, "stream"),
        (
            "/plates/desk",
            b'{"stream": "nobody"}',
            {"Content-Type": "application/json"},
            404,
            "no-stream",
        ),
    ],
)
async def test_what_cannot_be_kept_is_refused_with_a_reason(
    tmp_path: Path, path: str, body: bytes, headers: dict[str, str], status: int, reason: str
):
    async with running(tmp_path) as gateway:
        response = await gateway.http.put(path, data=body, headers=headers)
        assert (response.status, (await response.json())["reason"]) == (status, reason)


async def test_a_stream_without_a_plate_has_none_to_keep_and_a_full_store_says_so(tmp_path: Path):
    async with running(tmp_path, max_kept_plates=0) as gateway:
        page = gateway.client()
        await page.publish()
        refused = await keep(page, "desk")
        assert (refused.status, (await refused.json())["reason"]) == (409, "no-plate")
        await page.capture()
        refused = await keep(page, "desk")
        assert (refused.status, (await refused.json())["reason"]) == (409, "too-many-plates")


async def test_plates_in_a_folder_outlive_the_server(tmp_path: Path):
    folder = tmp_path / "plates"
    async with running(tmp_path, plates_folder=folder) as gateway:
        await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE | key(KEY))
    async with running(tmp_path, plates_folder=folder) as gateway:
        assert (await gateway.http.get("/plates/desk", headers=key(KEY))).status == 200
        assert (await gateway.http.delete("/plates/desk", headers=key(KEY))).status == 204
    assert not list(folder.iterdir())


async def test_a_plate_forgotten_since_the_publishing_is_said_to_be_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = tmp_path / "plates"
    async with running(tmp_path, plates_folder=folder) as gateway:
        await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE | key(KEY))
        (folder / "desk.png").unlink()
        page = gateway.client()
        await page.publish("/whip?plate=kept:desk")
        await page.video(5)
        await until(lambda: "The plate desk is gone" in caplog.text, what="a word")
        assert gateway.worker.stream(page.stream).plate.state == "none"


async def test_who_returns_keeps_a_plate_that_was_captured_since(tmp_path: Path):
    async with running(tmp_path) as gateway:
        await gateway.http.put("/plates/desk", data=ROOM, headers=PICTURE)
        path = "/whip/desk?plate=kept:desk"
        await captured(gateway, path, key=KEY)
        report = gateway.worker.stream("desk").plate.report
        again = gateway.client()
        await again.publish(path, key=KEY)
        await again.video(5)
        assert gateway.worker.stream("desk").plate.report is report
        assert report.shots > 1

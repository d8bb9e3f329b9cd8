"""Encoders, which bring no key, lose their connection and come back."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.publications import SILENT
from gateway.signed_tokens import SignedTokens
from tests.gateway.grey_camera import BLACK, PERSON
from tests.gateway.loopback import Client, Gateway, running, until

FIRST, OTHER = "correct-horse-battery", "another-horse-battery"
URL = "/whip/desk"


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


async def publish(client: Client, token: str | None = None) -> None:
    """As OBS does it: no data channel, no key."""
    offer = await client.offer_publishing(back=False)
    await client.accept(await client.send(URL, offer, **bearer(token)))


async def plate_state(client: Client) -> str:
    state = await (await client.call("GET", "")).json()
    return str(state["plate"]["state"])


@contextlib.asynccontextmanager
async def left(gateway: Gateway, token: str | None = None) -> AsyncIterator[Client]:
    """An encoder with a plate and a black backdrop that has just gone; its stream lingers."""
    obs = gateway.client()
    await publish(obs, token)
    stream = gateway.worker.stream("desk")
    assert stream is not None
    await until(lambda: stream.stats.frames_in > 5, what="frames")
    assert (await obs.call("POST", "/plate")).status == 200
    await obs.colour("#000000")
    await gateway.http.delete(obs.location, headers=bearer(token))
    yield obs


async def test_who_comes_back_without_a_key_finds_plate_and_backdrop(tmp_path: Path):
    async with running(tmp_path) as gateway, left(gateway) as before:
        again, viewer = gateway.client(), gateway.client()
        await publish(again)
        assert await plate_state(again) == "ready"
        assert again.camera is not None
        again.camera.person = True
        await viewer.watch("desk")
        await viewer.video(1)
        await until(lambda: abs(viewer.screen.centre - PERSON) < 20, what="the person")
        assert abs(viewer.screen.corner - BLACK) < 12
        assert again.key != before.key


async def test_but_not_the_picture_of_the_room(tmp_path: Path):
    async with running(tmp_path) as gateway, left(gateway) as before:
        again = gateway.client()
        await publish(again)
        assert (await again.call("GET", "/plate")).status == 403
        kept = await gateway.http.put(
            "/plates/desk", json={"stream": "desk"}, headers={"Cleanplate-Key": again.key}
        )
        assert kept.status == 201
        for key, status in ((again.key, 403), (before.key, 200)):
            shown = await gateway.http.get("/plates/desk", headers={"Cleanplate-Key": key})
            assert shown.status == status
        assert (await before.call("GET", "")).status == 403, "the stream has another key now"


async def test_the_same_token_is_the_same_publisher_and_another_is_not(tmp_path: Path):
    async with running(tmp_path, tokens=(FIRST, OTHER)) as gateway, left(gateway, FIRST):
        again, other = gateway.client(), gateway.client()
        await publish(again, FIRST)
        assert await plate_state(again) == "ready"
        await gateway.http.delete(again.location, headers=bearer(FIRST))
        await publish(other, OTHER)
        assert await plate_state(other) == "none"


async def test_who_comes_back_with_a_renewed_token_is_the_same_publisher(tmp_path: Path):
    secret = "correct-horse-battery-staple-and-more"
    tokens = SignedTokens(secret)
    now = time.time()
    desk = [tokens.make("publish", stream="desk", seconds=each, now=now) for each in (600, 900)]
    async with running(tmp_path, token_secret=secret) as gateway, left(gateway, desk[0]):
        again, other = gateway.client(), gateway.client()
        await publish(again, desk[1])
        assert await plate_state(again) == "ready"
        await gateway.http.delete(again.location, headers=bearer(desk[1]))
        await publish(other, tokens.make("publish", stream=None, seconds=600, now=now))
        assert await plate_state(other) == "none"


async def test_a_pages_stream_waits_for_its_key(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page, obs = gateway.client(), gateway.client()
        await page.publish(URL)
        await page.capture()
        await gateway.http.delete(page.location)
        refused = await obs.send(URL, await obs.offer_publishing(back=False))
        assert refused.status == 409


async def test_while_the_encoder_is_there_nobody_takes_its_place(tmp_path: Path):
    async with running(tmp_path) as gateway:
        obs, other = gateway.client(), gateway.client()
        await publish(obs)
        refused = await other.send(URL, await other.offer_publishing(back=False))
        assert refused.status == 409


async def test_an_encoder_that_was_killed_finds_its_name_free_two_seconds_later(tmp_path: Path):
    async with running(tmp_path, tokens=(FIRST, OTHER)) as gateway:
        killed, viewer = gateway.client(), gateway.client()
        await publish(killed, FIRST)
        stream = gateway.worker.stream("desk")
        assert stream is not None
        await until(lambda: stream.stats.frames_in > 5, what="frames")
        offer = await viewer.offer_watching()
        await viewer.accept(await viewer.send("/whep/desk", offer, **bearer(FIRST)))
        killed.vanish()
        again, other = gateway.client(), gateway.client()
        ours = await again.offer_publishing(back=False)
        theirs = await other.offer_publishing(back=False)
        assert (await again.send(URL, ours, **bearer(FIRST))).status == 409
        await until(lambda: (stream.idle() or 0) > SILENT, what="silence")
        assert (await other.send(URL, theirs, **bearer(OTHER))).status == 409
        # Long before the setting `idle_deadline`, and who watches stays.
        await again.accept(await again.send(URL, ours, **bearer(FIRST)))
        count = stream.stats.frames_in
        await until(lambda: stream.stats.frames_in > count + 5, what="frames again")
        assert len(gateway.worker.watchers(stream)) == 1


async def test_an_offer_of_no_use_takes_nothing_from_who_was_there(tmp_path: Path):
    async with running(tmp_path, tokens=(FIRST, OTHER)) as gateway, left(gateway, FIRST) as before:
        other = gateway.client()
        offer = (await other.offer_publishing(back=False)).replace("VP8", "VP9")
        refused = await other.send(URL, offer.replace("H264", "AV1"), **bearer(OTHER))
        assert refused.status == 422
        assert await plate_state(before) == "ready"


async def test_a_successor_does_not_learn_of_the_backdrop_before(tmp_path: Path):
    async with running(tmp_path, tokens=(FIRST, OTHER)) as gateway, left(gateway, FIRST):
        other = gateway.client()
        await publish(other, OTHER)
        assert (await (await other.call("GET", "/backdrop")).json())["id"] == "dark"

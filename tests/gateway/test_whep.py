"""Watching."""

from pathlib import Path

from gateway import events
from tests.conformance.offers import Description
from tests.gateway.grey_camera import BLACK, GreyCamera
from tests.gateway.loopback import running, until


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


async def test_the_answer_to_a_watcher_is_sendonly(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page, watcher = gateway.client(), gateway.client()
        await page.publish("/whip/desk")
        response = await watcher.send("/whep/desk", await watcher.offer_watching())
        assert response.status == 201
        assert "a=sendonly" in watcher.answer
        assert "x-google" not in watcher.answer
        assert response.headers["Location"].startswith("/whep/desk/")
        assert (await gateway.http.delete(response.headers["Location"])).status == 200


async def test_an_offer_that_only_sends_cannot_watch(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        response = await client.send("/whep/desk", await client.offer_publishing(back=False))
        assert response.status == 422


async def test_watchers_are_limited_per_stream(tmp_path: Path):
    async with running(tmp_path, max_watchers=1) as gateway:
        page, first, second = (gateway.client() for _ in range(3))
        await page.publish("/whip/desk")
        await first.watch("desk")
        response = await second.send("/whep/desk", await second.offer_watching())
        assert response.status == 503


async def test_whep_can_be_discovered(tmp_path: Path):
    async with running(tmp_path) as gateway:
        response = await gateway.http.head("/whep/desk")
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("application/sdp")
        assert (await gateway.http.get("/whep/desk")).status == 204
        assert (await gateway.http.options("/whep/desk")).headers[
            "Accept-Post"
        ] == "application/sdp"


async def test_a_watcher_cannot_touch_the_plate_or_the_backdrop(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page, watcher = gateway.client(), gateway.client()
        await page.publish("/whip/desk")
        await watcher.watch("desk")
        for method, path in (
            ("GET", ""),
            ("GET", "/plate"),
            ("POST", "/plate"),
            ("DELETE", "/plate"),
            ("GET", "/backdrop"),
        ):
            response = await gateway.http.request(method, f"/streams/desk{path}")
            assert response.status == 403, (method, path)


async def test_who_offers_to_send_as_well_is_only_sent_to(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page, watcher = gateway.client(), gateway.client()
        await page.publish("/whip/desk")
        watcher.connection.addTransceiver(GreyCamera(), "sendrecv")
        await watcher.accept(await watcher.send("/whep/desk", await watcher._offer()))
        assert "a=sendonly" in watcher.answer
        assert "a=sendrecv" not in watcher.answer
        await watcher.video(5)


async def test_a_token_for_publishing_watches_nothing(tmp_path: Path):
    publish, watch = "publish-horse-battery", "watch-horse-battery@desk"
    async with running(tmp_path, publish_tokens=(publish,), watch_tokens=(watch,)) as gateway:
        client = gateway.client()
        offer = await client.offer_watching()
        bearer = f"Bearer {publish}"
        assert (await client.send("/whep/desk", offer, Authorization=bearer)).status == 403
        bearer = f"Bearer {watch.partition('@')[0]}"
        assert (await client.send("/whep/door", offer, Authorization=bearer)).status == 403
        # Allowed; only that nobody publishes.
        assert (await client.send("/whep/desk", offer, Authorization=bearer)).status == 409


async def test_sound_alone_cannot_be_watched(tmp_path: Path):
    async with running(tmp_path) as gateway:
        client = gateway.client()
        response = await client.send("/whep/desk", Description("recvonly", "audio").text())
        assert response.status == 422
        assert (await response.json())["reason"] == "no-video"


async def test_a_watcher_with_a_data_channel_hears_whether_somebody_publishes(tmp_path: Path):
    async with running(tmp_path) as gateway:
        publisher, watcher = gateway.client(), gateway.client()
        await publisher.publish("/whip/desk")
        await publisher.video(1)
        await watcher.watch("desk", page=True)
        heard = watcher.events
        await until(lambda: heard == [events.Live(live=True)], what="that somebody publishes")
        await gateway.http.delete(publisher.location)
        await until(lambda: heard[1:] == [events.Live(live=False)], what="that nobody does")
        again = gateway.client()
        await again.publish("/whip/desk", publisher.key)
        await until(lambda: heard[2:] == [events.Live(live=True)], what="that somebody is back")
        assert watcher.connection.connectionState == "connected"
        stream = gateway.worker.stream("desk")
        await watcher.close()
        await until(lambda: not stream.audience, what="nobody to be told")

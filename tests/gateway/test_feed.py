"""Streams that the gateway itself feeds, from a connection that it opened."""

import asyncio
from pathlib import Path

import pytest

from gateway import events
from gateway.worker import Full, NameTaken
from tests.gateway.grey_camera import BLACK, PERSON, GreyCamera
from tests.gateway.loopback import running, until

KEY = "k" * 32


async def test_a_stream_that_the_gateway_feeds_is_watched_like_any_other(tmp_path: Path):
    async with running(tmp_path) as gateway:
        camera = GreyCamera()
        async with gateway.worker.feeding("desk", KEY) as feed, asyncio.TaskGroup() as tasks:
            work = tasks.create_task(feed.stream.transformer.run(camera))
            watcher = gateway.client()
            await watcher.watch("desk")
            watcher.key, watcher.stream = KEY, "desk"
            await watcher.colour("#000000")
            await watcher.capture()
            camera.person = True
            await until(lambda: abs(watcher.screen.centre - PERSON) < 20, what="the person")
            assert abs(watcher.screen.corner - BLACK) < 12
            assert (await (await watcher.call("GET", "")).json())["state"] == "live"
            work.cancel()
        assert (await (await watcher.call("GET", "")).json())["state"] == "lingering"


async def test_between_two_connections_a_fed_stream_stays_live_with_its_plate(tmp_path: Path):
    async with running(tmp_path) as gateway, gateway.worker.feeding("desk", KEY) as feed:
        stream = feed.stream
        for _ in range(2):
            work = asyncio.create_task(stream.transformer.run(GreyCamera()))
            await until(lambda: (stream.idle() or 9) < 0.5, what="frames")
            if stream.plate.state == "none":
                await stream.plate.capture()
            work.cancel()
            await asyncio.wait([work])
            await stream.transformer.show_backdrop()
            assert gateway.worker.is_live(stream)
        assert stream.plate.state == "ready"


async def test_who_has_the_key_takes_over_from_a_feed(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()

        async def feed_until_over() -> None:
            async with gateway.worker.feeding("desk", KEY) as feed:
                await feed.over.wait()
                assert "took over" in feed.reason

        feeding = asyncio.create_task(feed_until_over())
        await until(lambda: gateway.worker.stream("desk") is not None)
        await page.publish("/whip/desk", key=KEY)
        await feeding
        await page.video(3)
        assert gateway.worker.gauges()["sessions"] == 1


async def test_a_feed_needs_a_free_name_and_a_free_place(tmp_path: Path):
    async with running(tmp_path, max_sessions=2) as gateway:
        page = gateway.client()
        await page.publish("/whip/desk", key=KEY)
        with pytest.raises(NameTaken):
            async with gateway.worker.feeding("desk"):
                pass
        async with gateway.worker.feeding("chair"):
            with pytest.raises(Full):
                async with gateway.worker.feeding("table"):
                    pass


async def test_a_feed_is_told_when_the_server_stops(tmp_path: Path):
    told: list[str] = []
    async with running(tmp_path) as gateway:

        async def feed_until_over() -> None:
            async with gateway.worker.feeding("desk") as feed:
                await feed.over.wait()
                told.append(feed.reason)

        feeding = asyncio.create_task(feed_until_over())
        await until(lambda: gateway.worker.gauges()["sessions"] == 1)
    await feeding
    assert told == ["the server is stopping"]


async def test_who_does_not_let_a_stream_go_keeps_it_and_the_next_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with running(tmp_path) as gateway:
        gateway.worker._publications._patience = 0.05
        page = gateway.client()
        async with gateway.worker.feeding("desk", KEY) as feed:
            offer = await page.offer_publishing()
            url = "/whip/desk?backdrop=light"
            refused = await page.send(url, offer, **{"Cleanplate-Key": KEY})
            assert refused.status == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert "has not let this stream go" in (await refused.json())["detail"]
            assert "stream desk was not let go" in caplog.text
            with pytest.raises(Full):
                async with gateway.worker.feeding("desk", KEY):
                    pass
            assert gateway.worker.gauges()["sessions"] == 1, "nothing is left of who was refused"
            assert feed.stream.choice == events.PictureChoice(id="dark")
            assert gateway.worker.is_live(feed.stream)
        again = gateway.client()
        await again.publish(url, key=KEY)
        await again.video(2)

"""Sessions come and go; streams stay for a while."""

from pathlib import Path

import pytest

from tests.gateway.grey_camera import BLACK, GreyCamera
from tests.gateway.loopback import Gateway, running, until


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


def bound(gateway: Gateway, seconds: float) -> None:
    """Of the sessions that begin from now on."""
    worker = gateway.worker
    worker._settings = worker._settings.model_copy(update={"max_session_seconds": seconds})


async def test_who_returns_after_the_longest_time_of_a_session_finds_the_plate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    async with running(tmp_path) as gateway:
        page, bounded, again = (gateway.client() for _ in range(3))
        await page.publish("/whip/desk")
        await page.capture()
        bound(gateway, 0.2)
        await bounded.publish("/whip/desk", key=page.key)
        stream = gateway.worker.stream("desk")
        assert stream is not None
        await until(lambda: not gateway.worker.is_live(stream), what="the end of its time")
        assert "it lasted 0.2 s" in caplog.text
        assert (await gateway.http.get(bounded.location)).status == 404
        bound(gateway, 0)
        await again.publish("/whip/desk", key=page.key)
        assert gateway.worker.stream("desk") is stream
        assert stream.plate.state == "ready"
        await again.video(2)


async def test_watching_ends_after_the_longest_time_too_and_feeds_go_on(tmp_path: Path):
    async with (
        running(tmp_path, max_session_seconds=0.2) as gateway,
        gateway.worker.feeding("desk", "k" * 32) as feed,
    ):
        watcher = gateway.client()
        await watcher.watch("desk")
        await until(lambda: gateway.worker.gauges()["watchers"] == 0, what="its end")
        assert gateway.worker.is_live(feed.stream)

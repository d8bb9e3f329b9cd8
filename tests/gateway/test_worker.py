"""Places: who gets one, who keeps one, who makes room."""

import asyncio
from pathlib import Path

import pytest

from gateway.owned_tasks import OwnedTasks
from gateway.placement import InThisProcess
from tests.gateway.loopback import running, until

KEY = "k" * 32


async def test_a_stream_lingers_and_is_then_forgotten_with_its_plate(tmp_path: Path):
    async with running(tmp_path, stream_linger=0.4) as gateway:
        page = gateway.client()
        await page.publish("/whip/desk")
        await page.capture()
        await gateway.http.delete(page.location)
        assert gateway.worker.stream("desk") is not None
        await until(lambda: gateway.worker.stream("desk") is None, what="the stream is forgotten")
        assert not gateway.engine.streams
        assert (await page.call("GET", "")).status == 404


async def test_when_a_stream_is_forgotten_its_watchers_are_told(tmp_path: Path):
    async with running(tmp_path, stream_linger=0.2) as gateway:
        page, watcher = gateway.client(), gateway.client()
        await page.publish("/whip/desk")
        await page.video(2)
        await watcher.watch("desk")
        await watcher.video(2)
        await gateway.http.delete(page.location)
        await until(lambda: gateway.worker.gauges()["sessions"] == 0, what="the watcher's end")


async def test_a_key_of_the_clients_own_opens_the_stream_again(tmp_path: Path):
    async with running(tmp_path) as gateway:
        first, second = gateway.client(), gateway.client()
        await first.publish("/whip/desk", key=KEY)
        assert first.key == KEY
        await first.video(2)
        await gateway.http.delete(first.location)
        await second.publish("/whip/desk", key=KEY)
        await second.video(2)
        assert gateway.worker.gauges() == gateway.worker.gauges() | {"streams": 1, "sessions": 1}


async def test_somebody_present_comes_before_somebody_who_may_return(tmp_path: Path):
    async with running(tmp_path, max_streams=1) as gateway:
        first, second, third = (gateway.client() for _ in range(3))
        await first.publish("/whip/one")
        await first.video(2)
        busy = await second.send("/whip/two", await second.offer_publishing())
        assert busy.status == 503
        await gateway.http.delete(first.location)
        await third.publish("/whip/three")
        assert gateway.worker.stream("one") is None
        assert gateway.worker.stream("three") is not None


async def test_taking_over_needs_no_second_place(tmp_path: Path):
    async with running(tmp_path, max_sessions=1) as gateway:
        first, second = gateway.client(), gateway.client()
        await first.publish("/whip/desk", key=KEY)
        await second.publish("/whip/desk", key=KEY)
        await second.video(2)
        assert gateway.worker.gauges()["sessions"] == 1


async def test_two_that_publish_at_once_with_one_key_end_with_one_session(tmp_path: Path):
    async with running(tmp_path) as gateway:
        clients = [gateway.client() for _ in range(3)]
        await asyncio.gather(*(client.publish("/whip/desk", key=KEY) for client in clients))
        await until(lambda: gateway.worker.gauges()["sessions"] == 1, what="one session")
        await until(lambda: any(client.screen.count > 3 for client in clients), what="video")
        assert gateway.worker.gauges()["streams"] == 1


async def test_a_token_reopens_a_lingering_stream_but_takes_none_that_lives(tmp_path: Path):
    token = {"Authorization": "Bearer correct-horse-battery"}
    async with running(tmp_path, tokens=("correct-horse-battery",)) as gateway:
        first, second, third = (gateway.client() for _ in range(3))
        await first.accept(await first.send("/whip/desk", await first.offer_publishing(), **token))
        await first.video(2)
        offer = await second.offer_publishing()
        assert (await second.send("/whip/desk", offer, **token)).status == 409
        await gateway.http.delete(first.location, headers=token)
        await third.accept(await third.send("/whip/desk", await third.offer_publishing(), **token))


async def test_who_reopens_a_stream_by_token_gets_a_new_key_and_not_the_plate(tmp_path: Path):
    token = {"Authorization": "Bearer correct-horse-battery"}
    async with running(tmp_path, tokens=("correct-horse-battery",)) as gateway:
        first, second = gateway.client(), gateway.client()
        await first.accept(await first.send("/whip/desk", await first.offer_publishing(), **token))
        await first.capture()
        await gateway.http.delete(first.location, headers=token)
        offer = await second.offer_publishing()
        await second.accept(await second.send("/whip/desk", offer, **token))
        assert second.key != first.key
        assert (await second.call("GET", "/plate")).status == 404
        assert (await first.call("GET", "")).status == 403


async def test_requests_at_the_same_time_share_the_limit_of_sessions(tmp_path: Path):
    async with running(tmp_path, max_sessions=1) as gateway:
        clients = [gateway.client() for _ in range(3)]
        offers = await asyncio.gather(*(client.offer_publishing() for client in clients))
        answers = await asyncio.gather(
            *(client.send("/whip", offer) for client, offer in zip(clients, offers, strict=True))
        )
        assert sorted(answer.status for answer in answers) == [201, 503, 503]
        assert gateway.worker.gauges()["streams"] == 1


async def test_a_session_that_cannot_be_opened_gives_its_place_back(tmp_path: Path):
    async with running(tmp_path, max_sessions=1) as gateway:
        (tmp_path / "dark.jpg").unlink()
        page = gateway.client()
        assert (await page.send("/whip", await page.offer_publishing())).status == 500
        assert gateway.worker.gauges()["sessions"] == gateway.worker.gauges()["streams"] == 0


async def test_in_this_process_there_is_one_worker(tmp_path: Path):
    async with running(tmp_path) as gateway:
        placement = InThisProcess(gateway.worker)
        assert placement.place("desk") is placement.holding("chair") is gateway.worker


async def test_owned_tasks_end_with_their_owner_and_their_errors_are_logged(
    caplog: pytest.LogCaptureFixture,
):
    tasks = OwnedTasks()
    ended: list[str] = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def fail() -> None:
        raise ValueError("a bug")

    tasks.start(for_ever())
    tasks.start(fail())
    await asyncio.sleep(0.01)
    assert "a bug" in caplog.text
    await tasks.close()
    assert ended == ["cancelled"]

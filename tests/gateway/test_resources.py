"""Whatever a browser does, everything it cost is free again: threads, descriptors, tasks."""

import asyncio
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.gateway.loopback import Gateway, running, until


@dataclass(frozen=True)
class Held:
    """What the process holds."""

    threads: frozenset[str]
    descriptors: int
    tasks: int

    @classmethod
    def now(cls) -> "Held":
        # Threads of the executors stay: their number is bounded, and they belong to nobody.
        return cls(
            threads=frozenset(
                f"{thread.name} {thread.ident}"
                for thread in threading.enumerate()
                if not thread.name.startswith("gateway")
            ),
            descriptors=len(os.listdir("/proc/self/fd")),
            tasks=len(asyncio.all_tasks()),
        )

    def exceeds(self, before: "Held") -> str:
        """What is held beyond `before`, empty if nothing."""
        more = []
        if self.threads - before.threads:
            more.append(f"threads {sorted(self.threads - before.threads)}")
        if self.descriptors > before.descriptors:
            more.append(f"{self.descriptors - before.descriptors} descriptors")
        if self.tasks > before.tasks:
            names = [str(task.get_coro()) for task in asyncio.all_tasks()]
            more.append(f"{self.tasks - before.tasks} tasks of {names}")
        return ", ".join(more)


async def settled(gateway: Gateway, before: Held) -> None:
    """Everything is as before; keep-alive connections of HTTP are the test's own."""
    await until(lambda: gateway.worker.gauges()["sessions"] == 0, what="no session is left")
    await until(lambda: not Held.now().exceeds(before), seconds=3, what=Held.now().exceeds(before))


async def warm(gateway: Gateway) -> Held:
    """What an idle server holds after its first request."""
    await asyncio.wrap_future(gateway.engine.thread.submit(int))
    await (await gateway.http.get("/healthz")).read()
    return Held.now()


async def test_browsers_that_vanish_without_a_word_leave_nothing_behind(tmp_path: Path):
    async with running(tmp_path, idle_deadline=0.6, stream_linger=0.2) as gateway:
        before = await warm(gateway)
        pages = [gateway.client() for _ in range(4)]
        for page in pages:
            await page.publish(audio=True)
        watcher = gateway.client()
        await watcher.watch(pages[0].stream, audio=True)
        for page in (*pages, watcher):
            await page.video(3)
        assert Held.now().exceeds(before)
        for page in pages:
            page.vanish()
        await until(lambda: gateway.worker.gauges()["streams"] == 0, what="streams are dropped")
        for page in (*pages, watcher):
            await page.close()
        await settled(gateway, before)
        assert not gateway.engine.streams


async def test_an_offer_that_nobody_follows_up_ends_at_the_connect_deadline(tmp_path: Path):
    async with running(tmp_path, connect_deadline=0.5) as gateway:
        before = await warm(gateway)
        for _ in range(5):
            client = gateway.client()
            offer = await client.offer_publishing()
            lines = [line for line in offer.split("\r\n") if "candidate" not in line]
            assert (await client.send("/whip", "\r\n".join(lines))).status == 201
            await client.close()
        assert gateway.worker.gauges()["sessions"] == 5
        await settled(gateway, before)
        assert gateway.worker.gauges()["streams"] == 0


async def test_sessions_that_end_properly_are_free_when_delete_answers(tmp_path: Path):
    async with running(tmp_path, stream_linger=0.0) as gateway:
        before = await warm(gateway)
        for _ in range(3):
            page = gateway.client()
            await page.publish(audio=True)
            await page.video(2)
            assert (await gateway.http.delete(page.location)).status == 200
            assert gateway.worker.gauges()["sessions"] == 0
            await page.close()
        await settled(gateway, before)


async def test_bad_offers_cost_nothing(tmp_path: Path):
    async with running(tmp_path) as gateway:
        before = await warm(gateway)
        client = gateway.client()
        offer = await client.offer_publishing()
        for bad in (
            offer.replace("VP8", "VP9").replace("H264", "H265"),
            offer.replace("a=fingerprint:sha-256 ", "a=fingerprint:"),
            offer.replace("a=rtpmap:", "a=rtpmap:x"),
            offer.replace("a=setup:actpass", "a=setup:nonsense"),
        ):
            response = await client.send("/whip", bad)
            assert 400 <= response.status < 500, bad
            assert response.content_type == "application/problem+json"
        await client.close()
        await settled(gateway, before)
        assert gateway.worker.gauges()["streams"] == 0


async def test_stopping_the_server_ends_live_sessions_with_a_word(tmp_path: Path):
    async with running(tmp_path) as gateway:
        page = gateway.client()
        await page.publish()
        await until(lambda: page.seen("welcome"), what="the welcome")
        await gateway.worker.close()
        await until(lambda: page.seen("ended"), what="the last word")
        assert "stopping" in page.seen("ended")[0].reason
        assert gateway.worker.gauges()["sessions"] == 0
        refused = await gateway.client().send("/whip", "v=0")
        assert refused.status == 400
        assert (await gateway.http.get("/readyz")).status == 503

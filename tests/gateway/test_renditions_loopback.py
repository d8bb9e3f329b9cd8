"""Several real watchers of one stream: one encoder, everybody has the picture."""

from pathlib import Path

from aiortc import RTCRtpSender

from tests.gateway.grey_camera import BLACK
from tests.gateway.loopback import Client, running, until


async def watch_in(client: Client, stream: str, codec: str) -> None:
    """Watch with one codec only."""
    transceiver = client.connection.addTransceiver("video", "recvonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([each for each in known if each.name in (codec, "rtx")])
    await client.accept(await client.send(f"/whep/{stream}", await client._offer()))


async def test_many_watchers_cost_one_encoder_that_encodes_each_composite_once(tmp_path: Path):
    # One rate: estimates of this machine's moment move nobody.
    rate = {"downlink_start": 2000, "downlink_min": 2000, "downlink_max": 2000}
    async with running(tmp_path, max_sessions=8, **rate) as gateway:
        page = gateway.client()
        await page.publish()
        await page.colour("#000000")
        await page.capture()
        page.camera.person = True
        watchers = [gateway.client() for _ in range(4)]
        for watcher in watchers:
            await watcher.watch(page.stream)
        for client in (page, *watchers):
            await client.video(5)
            await until(lambda c=client: c.screen.centre > 180, what="the person")
            assert abs(client.screen.corner - BLACK) < 12

        shown = await (await page.call("GET", "")).json()
        assert shown["renditions"] == [{"codec": "VP8", "kbit": 2000, "viewers": 5}]
        assert shown["watchers"] == 4
        assert gateway.worker.gauges()["renditions"] == 1
        stream = gateway.worker.stream(page.stream)
        departures, composites = stream.stats.departures, stream.transformer.composites
        encoded, finished = departures.encoded, composites.version
        received = [client.screen.count for client in (page, *watchers)]
        for client in (page, *watchers):
            await client.video(15)
        assert departures.encoded - encoded <= composites.version - finished + 1
        got = sum(c.screen.count for c in (page, *watchers)) - sum(received)
        assert got > 3 * (departures.encoded - encoded)

        # Each who leaves costs the others nothing; the last one's encoder goes with them.
        for watcher in watchers[1:]:
            await gateway.http.delete(watcher.location)
        await watchers[0].video(5)
        assert stream.renditions.seating()[0].viewers == 2
        await gateway.http.delete(watchers[0].location)
        await gateway.http.delete(page.location)
        assert stream.renditions.seating() == []


async def test_watchers_with_different_codecs_and_lost_packets_share_where_they_can(
    tmp_path: Path,
):
    async with running(tmp_path, max_sessions=8) as gateway:
        page = gateway.client()
        await page.publish()
        await page.colour("#000000")
        first, second, third = (gateway.client() for _ in range(3))
        await watch_in(first, page.stream, "H264")
        await watch_in(second, page.stream, "H264")
        await watch_in(third, page.stream, "VP8")
        for client in (first, second, third):
            await client.video(3)
        stream = gateway.worker.stream(page.stream)
        by_codec: dict[str, int] = {}
        for seating in stream.renditions.seating():
            by_codec[seating.codec] = by_codec.get(seating.codec, 0) + seating.viewers
        assert by_codec == {"VP8": 2, "H264": 2}
        keys = stream.stats.departures.keys
        # Who asks for a key frame (PLI) gets one, through aiortc's own sender.
        (receiver,) = second.connection.getReceivers()
        (source,) = receiver.getSynchronizationSources()
        await receiver._send_rtcp_pli(source.source)
        await until(lambda: stream.stats.departures.keys > keys, what="a key frame")
        await second.video(3)


async def test_who_watches_across_a_hand_over_gets_nothing_from_the_encoders_of_before(
    tmp_path: Path,
):
    token = {"Authorization": "Bearer correct-horse-battery"}
    async with running(tmp_path, tokens=("correct-horse-battery",)) as gateway:
        first, watcher, second = (gateway.client() for _ in range(3))
        await first.accept(await first.send("/whip/desk", await first.offer_publishing(), **token))
        await first.video(2)
        offer = await watcher.offer_watching()
        await watcher.accept(await watcher.send("/whep/desk", offer, **token))
        await watcher.video(2)
        await gateway.http.delete(first.location, headers=token)
        pool = gateway.worker.stream("desk").renditions
        before = set(pool._tasks.values())
        assert before
        offer = await second.offer_publishing()
        await second.accept(await second.send("/whip/desk", offer, **token))
        await until(lambda: all(task.done() for task in before), what="the encoders' end")
        await watcher.video(10)
        await second.video(2)
        assert before.isdisjoint(pool._tasks.values())

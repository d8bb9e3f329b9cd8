"""A connection that the gateway opens: two peers over 127.0.0.1, one as each side."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest

from gateway.counterpart import BadAnswer
from gateway.peer import NotConnected, Peer
from gateway.sdp import Reach, read_offer
from tests.gateway.grey_camera import PERSON, GreyCamera
from tests.gateway.loopback import TUNING, Screen, until
from tests.gateway.tone import Tone

REACH = Reach(loopback=True)


@contextlib.asynccontextmanager
async def watching(peer: Peer) -> AsyncIterator[Screen]:
    """What comes to this peer."""
    screen = Screen()
    assert peer.video is not None
    task = asyncio.create_task(screen.watch(peer.video))
    try:
        yield screen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def somebody() -> GreyCamera:
    camera = GreyCamera()
    camera.person = True
    return camera


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_what_is_offered_to_be_sent_arrives_in_the_codec_of_the_answer(codec: str):
    async with Peer(TUNING, reach=REACH) as calling, Peer(TUNING, reach=REACH) as called:
        text = await calling.offer({"video": somebody(), "audio": Tone()}, codecs=(codec,))
        assert "a=sendonly" in text
        assert "a=candidate:" in text
        offer = read_offer(text, reach=REACH, max_candidates=32)
        await calling.accept(await called.answer(offer, {}))
        await asyncio.gather(calling.connected(), called.connected())
        async with watching(called) as screen:
            await until(lambda: screen.count and abs(screen.centre - PERSON) < 20)


async def test_a_handshake_that_fails_is_told_from_a_network_that_fails():
    async with Peer(TUNING, reach=REACH) as calling, Peer(TUNING, reach=REACH) as called:
        text = await calling.offer({"video": somebody()})
        others = re.sub(r"(a=fingerprint:sha-\d+) .*", rf"\1 {':'.join(['00'] * 32)}", text)
        await calling.accept(
            await called.answer(read_offer(others, reach=REACH, max_candidates=32), {})
        )
        with pytest.raises(NotConnected, match="failed in DTLS; FFmpeg may need -cert_file"):
            await called.connected()


async def test_a_network_that_fails_is_said_to():
    async with Peer(TUNING, reach=REACH) as calling, Peer(TUNING, reach=REACH) as called:
        text = await calling.offer({"video": somebody()})
        await called.answer(read_offer(text, reach=REACH, max_candidates=32), {})
        [receiver] = called._connection.getReceivers()
        await receiver.transport.transport._connection.close()
        with pytest.raises(NotConnected, match="failed in ICE"):
            await called.connected()


async def test_offers_name_vp8_first_and_then_the_baseline_of_h264():
    async with Peer(TUNING) as peer:
        text = await peer.offer({}, receive=["video"])
    video = next(line for line in text.split("\r\n") if line.startswith("m=video")).split(" ")[3:]
    names = {
        line.split(" ")[0].split(":")[1]: line.split(" ")[1].split("/")[0]
        for line in text.split("\r\n")
        if line.startswith("a=rtpmap:")
    }
    assert [names[number] for number in video if names[number] != "rtx"] == ["VP8", "H264"]
    assert text.count("profile-level-id=42e01f") == 1
    assert "profile-level-id=42001f" not in text


async def test_the_encoder_is_that_of_the_answer_not_of_the_offer():
    async with Peer(TUNING, reach=REACH) as calling, Peer(TUNING, reach=REACH) as called:
        offer = await calling.offer({"video": somebody()})
        # An SFU that prefers H.264 answers with it alone.
        only = "\r\n".join(line for line in offer.split("\r\n") if "VP8" not in line)
        answer = await called.answer(read_offer(only, reach=REACH, max_candidates=32), {})
        assert "VP8" not in answer
        await calling.accept(answer)
        await asyncio.gather(calling.connected(), called.connected())
        async with watching(called) as screen:
            await until(lambda: screen.count and abs(screen.centre - PERSON) < 20)


async def test_a_server_that_offers_instead_of_answering_is_answered():
    async with Peer(TUNING, reach=REACH) as server, Peer(TUNING, reach=REACH) as ours:
        counter = await server.offer({"video": somebody(), "audio": Tone()})
        await server.accept(await ours.counter(counter, {}))
        await asyncio.gather(server.connected(), ours.connected())
        async with watching(ours) as screen:
            await until(lambda: screen.count and abs(screen.centre - PERSON) < 20)


async def test_a_server_that_rejects_our_audio_still_gets_the_video():
    async with Peer(TUNING, reach=REACH) as calling, Peer(TUNING, reach=REACH) as called:
        offer = await calling.offer({"video": somebody(), "audio": Tone()})
        head, _, audio = offer.partition("m=audio")
        answer = await called.counter(head, {})
        mid = next(line for line in audio.split("\r\n") if line.startswith("a=mid:"))
        await calling.accept(f"{answer}m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n{mid}\r\n")
        await asyncio.gather(calling.connected(), called.connected())
        async with watching(called) as screen:
            await until(lambda: screen.count and abs(screen.centre - PERSON) < 20)


async def test_an_answer_that_aiortc_cannot_take_is_the_other_servers_fault():
    async with Peer(TUNING) as peer:
        offer = await peer.offer({"video": somebody()})
        with pytest.raises(BadAnswer, match="could not be understood"):
            await peer.accept(offer.replace("a=setup:actpass", "a=setup:holdconn"))
        with pytest.raises(BadAnswer, match="no codec"):
            await peer.accept(
                offer.replace("a=setup:actpass", "a=setup:active")
                .replace("VP8", "VP9")
                .replace("H264", "H265")
            )

"""The changes to aiortc take effect; when one of these fails, aiortc has changed."""

import asyncio
import socket
import threading
from fractions import Fraction

import numpy as np
import pytest
from aioice import Connection as IceConnection
from aiortc import RTCRtpReceiver, RTCRtpSender, RTCSessionDescription
from aiortc.jitterbuffer import JitterFrame
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av import VideoFrame

from gateway.peer import Peer
from gateway.sdp import Reach, read_offer
from gateway.stats import Arrivals
from gateway.transport import hidden
from gateway.transport.backlog import Backlog, Decoded, is_key_frame, vp8_size
from gateway.transport.candidates import LOOPBACK, local_addresses, use_addresses
from gateway.transport.connection import Connection, seed
from gateway.transport.encoders import Downlink, Vp8
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.loopback import TUNING, until

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000)
AVC = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000)
KEY, DELTA = b"\x10\x02\x00\x9d\x01\x2a\x80\x02\x68\x01", b"\x11\x02\x00"
DOWNLINK = Downlink(2_000_000, 300_000, 8_000_000)


def test_browsers_are_told_the_seeded_bit_rate_with_the_first_packets():
    estimator = RemoteBitrateEstimator()
    seed(estimator, 4_000_000)
    told = []
    for n in range(400):
        milliseconds = n * 10
        estimate = estimator.add(
            arrival_time_ms=milliseconds,
            abs_send_time=(milliseconds << 18) // 1000 & 0xFFFFFF,
            payload_size=300,
            ssrc=1,
        )
        if estimate is not None:
            told.append(estimate[0])
    assert told[0] == pytest.approx(4_000_000, rel=0.2)
    # A sender that uses little of it is not pushed down.
    assert min(told) > 3_000_000


@pytest.mark.parametrize(
    ("codec", "data", "key"),
    [
        (VP8, KEY, True),
        (VP8, DELTA, False),
        (VP8, b"", False),
        (AVC, b"\x00\x00\x00\x01\x67", True),
        (AVC, b"\x00\x00\x00\x01\x65", True),
        (AVC, b"\x00\x00\x00\x01\x41", False),
        (AVC, b"\x00\x00\x00\x01\x09\xf0\x00\x00\x00\x01\x67", True),
        (AVC, b"\x00\x00\x00\x01\x06\x05\x00\x00\x01\x65", True),
        (AVC, b"\x00\x00\x00\x01\x09\xf0\x00\x00\x01\x41\x00\x00\x01\x65", False),
        (AVC, b"\x00", False),
        (OPUS, b"x", True),
    ],
)
def test_key_frames_are_recognised(codec: RTCRtpCodecParameters, data: bytes, key: bool):
    assert is_key_frame(codec, data) is key


def test_the_size_of_a_vp8_frame_is_read_from_its_header():
    encoder = Vp8(DOWNLINK)
    frame = VideoFrame.from_ndarray(np.zeros((540, 640), np.uint8), format="yuv420p")
    frame.pts, frame.time_base = 0, Fraction(1, 90000)
    payload = encoder.encode(frame)[0][0]
    assert vp8_size(payload[4:]) == (640, 360)
    assert vp8_size(DELTA) is None


def encoded(data: bytes) -> tuple[RTCRtpCodecParameters, JitterFrame]:
    return VP8, JitterFrame(data, 0)


def test_a_decoder_that_falls_behind_waits_for_a_key_frame_that_is_asked_for():
    asked: list[int] = []
    arrivals = Arrivals()
    backlog = Backlog(3, ask=lambda: asked.append(1), arrivals=arrivals)
    for data in (KEY, DELTA, DELTA, DELTA, DELTA):
        backlog.put(encoded(data))
    assert asked == [1]
    assert arrivals.undecoded == 5
    backlog.put(encoded(KEY))
    backlog.put(encoded(DELTA))
    assert [backlog.get()[1].data, backlog.get()[1].data] == [KEY, DELTA]


def test_what_refers_to_a_lost_frame_is_not_decoded_and_is_asked_for_once():
    now = 0.0
    backlog = Backlog(3, ask=lambda: None, clock=lambda: now)
    backlog.put(encoded(KEY))
    assert backlog.get()[1].data == KEY
    assert backlog.lose()
    now = 0.2
    assert not backlog.lose(), "a moment ago"
    backlog.put(encoded(DELTA))
    backlog.put(encoded(KEY))
    assert backlog.lose(), "lost again since"
    backlog.put(encoded(DELTA))
    assert backlog.get()[1].data == KEY
    backlog.end()
    assert backlog.get() is None


def test_frames_too_large_never_reach_the_decoder():
    backlog = Backlog(3, ask=lambda: None, limit=(320, 240))
    backlog.put(encoded(KEY))
    backlog.put(encoded(DELTA))
    backlog.end()
    assert backlog.get() is None


def test_the_end_is_not_behind_what_waits():
    backlog = Backlog(3, ask=lambda: None)
    backlog.put(encoded(KEY))
    backlog.end()
    backlog.put(encoded(KEY))
    assert backlog.get() is None


def test_a_decoder_that_waits_is_woken():
    backlog = Backlog(3, ask=lambda: None)
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(backlog.get()))
    thread.start()
    backlog.put(encoded(KEY))
    thread.join(2)
    assert not thread.is_alive()
    assert got[0][1].data == KEY  # type: ignore[index]


async def test_of_decoded_frames_the_oldest_makes_room():
    arrivals = Arrivals()
    queue = Decoded(2, arrivals)
    for n in range(5):
        await queue.put(n)
    assert [queue.get_nowait(), queue.get_nowait(), arrivals.unread] == [3, 4, 3]


def test_addresses_are_the_chosen_ones_else_all_with_loopback_on_request():
    assert local_addresses(["192.0.2.9"], loopback=True) == ["192.0.2.9"]
    assert LOOPBACK in local_addresses([], loopback=True)
    assert LOOPBACK not in local_addresses([], loopback=False)


async def test_candidates_are_gathered_on_our_addresses_with_large_buffers():
    ice = IceConnection(ice_controlling=True)
    use_addresses(ice, [LOOPBACK])
    await ice.gather_candidates()
    assert [candidate.host for candidate in ice.local_candidates] == [LOOPBACK]
    held = ice._protocols[0].transport.get_extra_info("socket")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        default = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert held.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > default
    await ice.close()


async def test_two_connections_carry_video_over_loopback_with_everything_in_place():
    sender, receiver = Connection(TUNING), Connection(TUNING)
    sender.addTransceiver(GreyCamera(), "sendonly")
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(sender.localDescription)
    await receiver.setLocalDescription(await receiver.createAnswer())
    answer = receiver.localDescription
    await sender.setRemoteDescription(RTCSessionDescription(answer.sdp, answer.type))
    (incoming,) = receiver.getReceivers()
    assert isinstance(incoming.track._queue, Decoded)
    assert isinstance(hidden.read(incoming, RTCRtpReceiver, "decoder_queue"), Backlog)
    assert (await asyncio.wait_for(incoming.track.recv(), 5)).width == 320
    (outgoing,) = sender.getSenders()
    assert isinstance(hidden.read(outgoing, RTCRtpSender, "encoder"), Vp8)
    estimator = hidden.read(incoming, RTCRtpReceiver, "remote_bitrate_estimator")
    assert estimator.rate_control.current_bitrate_initialized
    assert len(receiver.decoders()) == 1
    # Nobody takes the frames: what waits stays bounded.
    await asyncio.sleep(0.5)
    assert incoming.track._queue.qsize() <= 4
    await sender.close()
    await receiver.close()
    await receiver.join_decoders()
    assert receiver.decoders() == []


async def test_of_a_simulcast_offer_the_largest_layer_alone_is_taken():
    sender, peer = Connection(TUNING), Peer(TUNING)
    sender.addTransceiver(GreyCamera(), "sendonly")
    await sender.setLocalDescription(await sender.createOffer())
    layers = (
        "a=mid:0\r\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
        "a=rid:q send\r\na=rid:f send\r\na=simulcast:send f;q\r\n"
    )
    text = sender.localDescription.sdp.replace("a=mid:0\r\n", layers)
    await peer.answer(read_offer(text, reach=Reach(loopback=True), max_candidates=32), {})
    (reception,) = peer._connection._receptions
    assert reception.rid == "f"
    await peer.close()
    await sender.close()


class Busy(Backlog):
    """Keeps the decoder's thread busy until `done`."""

    def __init__(self) -> None:
        super().__init__(3, ask=lambda: None)
        self.started, self.done = threading.Event(), threading.Event()

    def get(self):  # type: ignore[no-untyped-def]
        self.started.set()
        self.done.wait(10)
        return super().get()


async def test_closing_never_joins_a_busy_decoder_on_the_loop():
    sender, receiver = Connection(TUNING), Connection(TUNING)
    sender.addTransceiver(GreyCamera(), "sendonly")
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(sender.localDescription)
    busy = Busy()
    (incoming,) = receiver.getReceivers()
    hidden.write(incoming, RTCRtpReceiver, "decoder_queue", busy)
    hidden.write(incoming, RTCRtpReceiver, "stop_decoder", busy.end)
    await receiver.setLocalDescription(await receiver.createAnswer())
    await sender.setRemoteDescription(receiver.localDescription)
    await until(busy.started.is_set, what="the decoder works")
    async with asyncio.timeout(2):
        await receiver.close()
    assert len(receiver.decoders()) == 1
    busy.done.set()
    await receiver.join_decoders()
    assert receiver.decoders() == []
    await sender.close()

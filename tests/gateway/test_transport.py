"""The changes to aiortc take effect; when one of these fails, aiortc has changed."""

import asyncio
import socket
import threading
from fractions import Fraction
from importlib.metadata import version

import numpy as np
import pytest
from aioice import Connection as IceConnection
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, RTCSessionDescription
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av import VideoFrame

from gateway.transport import hidden
from gateway.transport.backlog import Backlog, Decoded, is_key_frame, vp8_size
from gateway.transport.candidates import LOOPBACK, local_addresses, use_addresses
from gateway.transport.connection import Connection, seed
from gateway.transport.encoders import H264, Downlink, Vp8, video_encoder
from tests.gateway.loopback import TUNING, GreyCamera, until

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000)
AVC = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000)
KEY, DELTA = b"\x10\x02\x00\x9d\x01\x2a\x80\x02\x68\x01", b"\x11\x02\x00"
DOWNLINK = Downlink(2_000_000, 300_000, 8_000_000)


def test_aiortc_and_aioice_are_the_versions_this_was_written_against():
    assert version("aiortc").startswith("1.16.")
    assert version("aioice").startswith("0.13.")


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            RTCRtpReceiver,
            ["decoder_queue", "decoder_thread", "decoder_error", "remote_bitrate_estimator"],
        ),
        (RTCRtpSender, ["encoder"]),
        (RTCPeerConnection, ["certificates"]),
    ],
)
async def test_the_hidden_names_are_there(owner: type, names: list[str]):
    connection = RTCPeerConnection()
    transceiver = connection.addTransceiver("video")
    found = {
        RTCRtpReceiver: transceiver.receiver,
        RTCRtpSender: transceiver.sender,
        RTCPeerConnection: connection,
    }[owner]
    for name in names:
        hidden.read(found, owner, name)
    await connection.close()


def test_a_name_that_is_gone_is_told_loudly():
    with pytest.raises(hidden.TransportChanged, match=r"Vp8Encoder\.__nonsense"):
        hidden.write(Vp8Encoder(), Vp8Encoder, "nonsense", 1)


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


@pytest.mark.parametrize("encoder", [Vp8, H264])
def test_encoders_start_and_stay_within_our_limits(encoder: type[Vp8] | type[H264]):
    made = encoder(DOWNLINK)
    assert made.target_bitrate == 2_000_000
    made.target_bitrate = 50_000_000
    assert made.target_bitrate == 8_000_000
    made.target_bitrate = 1
    assert made.target_bitrate == 300_000


def test_the_encoder_spends_the_bits_it_may():
    random = np.random.default_rng(1)
    pixels = np.kron(random.integers(0, 256, (54, 64), np.uint8), np.ones((10, 10), np.uint8))
    sizes = {}
    for bitrate in (500_000, 6_000_000):
        encoder, size = Vp8(Downlink(bitrate, bitrate, bitrate)), 0
        for n in range(20):
            frame = VideoFrame.from_ndarray(np.roll(pixels, 4 * n, axis=1), format="yuv420p")
            frame.pts, frame.time_base = n * 3000, Fraction(1, 90000)
            size += sum(len(payload) for payload in encoder.encode(frame)[0])
        sizes[bitrate] = size
    # libvpx saves effort, and with it precision, on a busy machine: far apart, but not by a factor.
    assert sizes[6_000_000] > 1.3 * sizes[500_000]


def test_other_codecs_keep_aiortcs_encoder():
    assert isinstance(video_encoder(VP8, DOWNLINK), Vp8Encoder)
    assert isinstance(video_encoder(AVC, DOWNLINK), H264Encoder)
    assert video_encoder(OPUS, DOWNLINK) is None


@pytest.mark.parametrize(
    ("codec", "data", "key"),
    [
        (VP8, KEY, True),
        (VP8, DELTA, False),
        (VP8, b"", False),
        (AVC, b"\x00\x00\x00\x01\x67", True),
        (AVC, b"\x00\x00\x00\x01\x65", True),
        (AVC, b"\x00\x00\x00\x01\x41", False),
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
    backlog = Backlog(3, ask=lambda: asked.append(1))
    for data in (KEY, DELTA, DELTA, DELTA, DELTA):
        backlog.put(encoded(data))
    assert asked == [1]
    assert backlog.dropped == 5
    backlog.put(encoded(KEY))
    backlog.put(encoded(DELTA))
    assert [backlog.get()[1].data, backlog.get()[1].data] == [KEY, DELTA]


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
    queue = Decoded(2)
    for n in range(5):
        await queue.put(n)
    assert [queue.get_nowait(), queue.get_nowait(), queue.dropped] == [3, 4, 3]


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

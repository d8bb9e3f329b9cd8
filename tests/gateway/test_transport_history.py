"""Packets sent again, and who encodes, seen from aiortc's sender."""

import threading
from fractions import Fraction

import numpy as np
import pytest
from aiortc import RTCRtpSender
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    pack_remb_fci,
)
from av import VideoFrame

from gateway.transport import hidden
from gateway.transport.connection import Connection
from gateway.transport.encoders import Vp8
from gateway.transport.encoding import Encoding
from gateway.transport.history import KEPT, History
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.loopback import TUNING


def packet(number: int) -> RtpPacket:
    made = RtpPacket(payload_type=97, sequence_number=number & 0xFFFF)
    made.payload = f"{number}".encode()
    return made


class Clock:
    def __init__(self) -> None:
        self.now = 10.0

    def __call__(self) -> float:
        return self.now


class Wire:
    """A sender that is not connected; what it would send is written down."""

    def __init__(self) -> None:
        self.connection = Connection(TUNING)
        self.sender = self.connection.addTransceiver(GreyCamera(), "sendonly").sender
        self.history: History = hidden.read(self.sender, RTCRtpSender, "rtp_history")
        self.clock = Clock()
        self.history._clock = self.clock
        self.sent: list[RtpPacket] = []
        self.sender.transport._send_rtp = self._send  # type: ignore[method-assign]

    async def _send(self, data: bytes) -> None:
        self.sent.append(RtpPacket.parse(data))

    async def ask(self, *numbers: int) -> None:
        request = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=self.sender._ssrc)
        request.lost = list(numbers)
        await self.sender._handle_rtcp_packet(request)


async def test_what_was_sent_a_second_ago_is_sent_again():
    wire = Wire()
    for number in range(65_000, 66_500):
        wire.history[number % 128] = packet(number)
    await wire.ask(65_001, (65_537) & 0xFFFF)
    assert [each.payload for each in wire.sent] == [b"65001", b"65537"]
    assert wire.history.repeated == 2
    await wire.connection.close()


async def test_what_was_never_sent_or_is_too_old_is_not():
    wire = Wire()
    for number in range(KEPT + 10):
        wire.history[number % 128] = packet(number)
    assert len(wire.history) == KEPT
    await wire.ask(3, KEPT + 50)
    assert wire.sent == []
    await wire.connection.close()


async def test_a_packet_that_is_on_its_way_again_is_not_sent_twice():
    wire = Wire()
    wire.history[5] = packet(5)
    await wire.ask(5)
    await wire.ask(5)
    assert len(wire.sent) == 1
    wire.clock.now += 0.05
    await wire.ask(5)
    assert len(wire.sent) == 2
    await wire.connection.close()


async def test_receivers_set_the_bit_rate_within_the_limits():
    wire = Wire()
    encoder = Vp8(TUNING.downlink)
    hidden.write(wire.sender, RTCRtpSender, "encoder", encoder)
    for asked, expected in ((900_000, 900_000), (90_000_000, 8_000_000), (1_000, 300_000)):
        fci = pack_remb_fci(asked, [wire.sender._ssrc])
        estimate = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)
        await wire.sender._handle_rtcp_packet(estimate)
        assert encoder.target_bitrate == pytest.approx(expected, rel=0.01)
    await wire.connection.close()


async def test_much_loss_halves_its_share_and_little_lets_the_rate_grow_again():
    wire = Wire()
    encoder = Vp8(TUNING.downlink)
    hidden.write(wire.sender, RTCRtpSender, "encoder", encoder)

    async def report(lost: float, ssrc: int | None = None) -> int:
        info = RtcpReceiverInfo(
            ssrc=wire.sender._ssrc if ssrc is None else ssrc,
            fraction_lost=int(256 * lost),
            packets_lost=0,
            highest_sequence=0,
            jitter=0,
            lsr=0,
            dlsr=0,
        )
        await wire.sender._handle_rtcp_packet(RtcpRrPacket(ssrc=1, reports=[info]))
        return encoder.target_bitrate

    assert await report(0.5, ssrc=99) == 2_000_000, "another's"
    assert await report(0.05) == 2_000_000, "retransmissions mend that"
    assert await report(0.5) == pytest.approx(1_500_000, rel=0.01)
    assert await report(0.05) == pytest.approx(1_500_000, rel=0.01)
    assert await report(0.0) == pytest.approx(1_620_000, rel=0.02)
    for _ in range(40):
        await report(0.0)
    assert encoder.target_bitrate == 2_000_000, "what the receiver estimates"
    for _ in range(40):
        await report(0.9)
    assert encoder.target_bitrate == 300_000
    await wire.connection.close()


@pytest.mark.parametrize("fmt", [RTCP_PSFB_PLI, RTCP_PSFB_FIR])
async def test_requests_for_key_frames_reach_the_encoder(fmt: int):
    wire = Wire()
    request = RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=wire.sender._ssrc)
    await wire.sender._handle_rtcp_packet(request)
    assert hidden.read(wire.sender, RTCRtpSender, "force_keyframe")
    await wire.connection.close()


async def test_media_are_encoded_on_threads_of_their_own():
    encoding = Encoding(2)
    connection = Connection(TUNING)
    sender = connection.addTransceiver("video", "sendonly").sender
    from gateway.transport.encoding import encode_on

    encode_on(sender, encoding.threads)
    names: list[str] = []

    class Encoder(Vp8):
        def encode(self, frame, force_keyframe=False):  # type: ignore[no-untyped-def]
            names.append(threading.current_thread().name)
            return super().encode(frame, force_keyframe)

    class Camera(GreyCamera):
        async def recv(self) -> VideoFrame:
            frame = VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p")
            frame.pts, frame.time_base = 0, Fraction(1, 90000)
            return frame

    sender.replaceTrack(Camera())
    hidden.write(sender, RTCRtpSender, "encoder", Encoder(TUNING.downlink))
    codec = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000)
    encoded = await sender._next_encoded_frame(codec)
    assert encoded is not None
    assert encoded.payloads
    assert names[0].startswith("gateway-encoder")
    await connection.close()
    await encoding.close()

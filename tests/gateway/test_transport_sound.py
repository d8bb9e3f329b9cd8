"""Sound is received and sent on without anybody looking into it."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import RTCPeerConnection, RTCRtpSender, clock
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket, RtpPacket

from gateway.capture import Timeline
from gateway.transport import hidden
from gateway.transport.backlog import Decoded
from gateway.transport.reports import Lag, SenderReports
from gateway.transport.sound import Sound, SoundReception, duration
from tests.gateway.recorded import OPUS, PCMU, SHAPES

WRAP = 1 << 32


@pytest.mark.parametrize(("head", "samples"), SHAPES)
def test_an_opus_packet_says_how_long_it_lasts(head: bytes, samples: int):
    assert duration(OPUS, head + b"whatever") == samples


def test_odd_packets_last_no_time_and_telephone_codecs_a_byte_a_tick():
    assert [duration(OPUS, payload) for payload in (b"", b"\x7b")] == [0, 0]
    assert duration(PCMU, bytes(160)) == 960


class Ear:
    """A reception with a clock of its own."""

    def __init__(self) -> None:
        self.now = 50.0
        self.queue = Decoded(100)
        receiver: Any = SimpleNamespace(track=SimpleNamespace(_queue=self.queue))
        receiver._RTCRtpReceiver__codecs = {96: OPUS, 0: PCMU}
        self.timeline = Timeline()
        self.reception = SoundReception(receiver, self.timeline, lambda: self.now)

    def hear(self, timestamp: int, ssrc: int = 1, payload_type: int = 96) -> int:
        packet = RtpPacket(payload_type=payload_type, timestamp=timestamp % WRAP)
        packet.ssrc, packet.payload = ssrc, b"\x78sound"
        assert self.reception.add(packet) == (False, None)
        heard: Sound = self.queue.get_nowait()
        assert heard.payload == packet.payload
        return heard.pts


def test_every_packet_is_handed_on_at_once_also_what_was_overtaken():
    ear = Ear()
    assert [ear.hear(at) for at in (7000, 7960, 9880, 8920)] == [0, 960, 2880, 1920]


def test_timestamps_go_on_where_32_bits_end():
    ear = Ear()
    assert [ear.hear(WRAP - 480 + n * 960) for n in range(3)] == [0, 960, 1920]


def test_a_pause_stays_as_long_as_it_was():
    ear = Ear()
    ear.hear(0)
    ear.now += 3
    assert ear.hear(3 * 48000) == 3 * 48000


def test_another_source_or_one_that_counts_anew_goes_on_when_it_comes():
    ear = Ear()
    ear.hear(4_000_000)
    ear.now += 2
    assert ear.hear(17, ssrc=2) == 2 * 48000
    ear.now += 1
    assert ear.hear(2_000_000_000, ssrc=2) == 3 * 48000
    ear.now += 1
    assert ear.hear(5, ssrc=2) == 4 * 48000
    assert ear.hear(0, ssrc=2, payload_type=0) == 4 * 48000 + 1
    ear.now += 0.02
    assert ear.hear(160, ssrc=2, payload_type=0) == 4 * 48000 + 1 + 960


def test_reports_are_of_the_source_that_is_heard():
    ear = Ear()
    assert ear.reception.seconds(1, 7000) is None
    ear.hear(7000)
    assert ear.reception.seconds(1, 7000 + 24000) == 0.5
    assert ear.reception.seconds(2, 7000) is None


def test_it_was_captured_before_its_last_sample_was():
    ear = Ear()
    ear.hear(7000)
    assert ear.timeline.at(0.0) == pytest.approx(50.0 - 0.02)


def test_the_lag_of_a_picture_follows_slowly_and_is_never_below_nothing():
    lag = Lag()
    assert lag.seconds is None
    lag.sent(10.0, 10.1)
    assert lag.seconds == pytest.approx(0.1)
    lag.sent(9.63, 10.13)
    assert 0.1 < lag.seconds < 0.12
    # At few frames a second as fast as at many.
    for rate in (5, 50):
        for number in range(5 * rate):
            lag.sent(11.0 + number / rate, 11.5 + number / rate)
        assert lag.seconds == pytest.approx(0.5, abs=0.01)
        lag = Lag()
        lag.sent(10.0, 10.1)
    for number in range(100):
        lag.sent(13.0 + number, 12.0 + number)
    assert lag.seconds == pytest.approx(0.0, abs=0.01)


class Dated:
    """A track whose second zero was captured at 90."""

    def captured(self, timestamp: float) -> float:
        return 90.0 + timestamp


async def reporter(lag: Lag) -> tuple[RTCRtpSender, SenderReports, list[Any]]:
    """A sender at 100 s of its clock, of which frames are asked and whose reports are kept."""
    connection = RTCPeerConnection()
    sender = connection.addTransceiver("video").sender
    frames = iter([RTCEncodedFrame([b"x"], 0, 0), None, RTCEncodedFrame([b"y"], 90000, 0)])
    kept: list[Any] = []

    async def following(codec: object) -> RTCEncodedFrame | None:
        return next(frames)

    async def keep(packets: list[Any]) -> None:
        kept.extend(packets)

    sender._next_encoded_frame, sender._send_rtcp = following, keep
    reports = SenderReports(sender, lag, lambda: 100.0)
    reports.install()
    hidden.write(sender, RTCRtpSender, "track", Dated())
    await connection.close()
    return sender, reports, kept


async def test_a_report_says_when_the_newest_frame_was_captured_not_when_it_left():
    lag = Lag()
    sender, _, kept = await reporter(lag)
    video = SimpleNamespace(clockRate=90000)

    def told() -> RtcpSrPacket:
        return RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(1, 2, 3, 4))

    await sender._send_rtcp([told()])
    assert kept.pop().sender_info.rtp_timestamp == 2, "nothing was sent yet"
    origin = WRAP - 1000
    await sender._next_encoded_frame(video)
    hidden.write(sender, RTCRtpSender, "rtp_timestamp", origin)
    await sender._next_encoded_frame(video)
    # The frame that was captured at 90 has left at 100.
    assert lag.seconds == pytest.approx(10.0)
    await sender._next_encoded_frame(video)
    assert lag.seconds == pytest.approx(10.0), "counted once"
    await sender._send_rtcp([told()])
    info = kept.pop().sender_info
    # The second zero was captured ten seconds ago.
    assert info.rtp_timestamp == (origin + 10 * 90000) % WRAP
    assert abs(info.ntp_timestamp - clock.current_ntp_time()) >> 32 < 60
    assert hidden.read(sender, RTCRtpSender, "lsr") == info.ntp_timestamp >> 16 & 0xFFFFFFFF

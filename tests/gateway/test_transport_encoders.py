"""Bit rates are judged by counting bytes against the video's own time, never a clock."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from aiortc.codecs.h264 import H264Decoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from gateway.transport.compressors import X264, LibVpx
from gateway.transport.encoders import H264, Downlink, VideoEncoder, Vp8, numbered, video_encoder
from tests.gateway.broken_compressor import Broken
from tests.gateway.noisy_clip import HEIGHT, WIDTH, Clip
from tests.gateway.timeless_encoder import DOWNLINK, is_key, made

GENEROUS = Downlink(8_000_000, 300_000, 8_000_000)
VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000)
AVC = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000)


def bits(encoder: VideoEncoder, clip: Clip, fps: float, begin: float, seconds: float) -> float:
    """Bits per second of the video's time."""
    count = round(seconds * fps)
    size = 0
    for n in range(count):
        payloads, _ = encoder.encode(clip.frame(n, begin + n / fps))
        size += sum(len(payload) for payload in payloads)
    return 8 * size / seconds


@pytest.mark.parametrize("fps", [60, 30, 12.5])
@pytest.mark.parametrize("kind", [Vp8, H264])
def test_bits_per_second_are_the_wanted_ones_at_any_frame_rate(
    kind: type[Vp8] | type[H264], fps: float
):
    encoder, clip = made(kind), Clip()
    bits(encoder, clip, fps, 0, 2)
    assert bits(encoder, clip, fps, 2, 2) == pytest.approx(1_000_000, rel=0.12)


@pytest.mark.parametrize("kind", [Vp8, H264])
def test_an_uneven_cadence_costs_no_more_than_an_even_one(kind: type[Vp8] | type[H264]):
    encoder, clip = made(kind), Clip()
    size, seconds = 0, 0.0
    for n in range(120):
        seconds += 1 / 60 if n % 3 else 1 / 15
        payloads, _ = encoder.encode(clip.frame(n, seconds))
        size += sum(len(payload) for payload in payloads) if n >= 30 else 0
    assert 8 * size / (seconds * 90 / 120) == pytest.approx(1_000_000, rel=0.15)


@pytest.mark.parametrize("kind", [Vp8, H264])
def test_a_new_bit_rate_is_kept_within_a_second_and_needs_no_new_codec(
    kind: type[Vp8] | type[H264],
):
    encoder, clip = made(kind), Clip()
    bits(encoder, clip, 30, 0, 1)
    begin = 1.0
    for bitrate in (300_000, 2_500_000, 600_000):
        encoder.target_bitrate = bitrate
        bits(encoder, clip, 30, begin, 1)
        assert bits(encoder, clip, 30, begin + 1, 2) == pytest.approx(bitrate, rel=0.15)
        begin += 3
    assert encoder.opened == 1


@pytest.mark.parametrize("kind", [Vp8, H264])
def test_encoders_start_and_stay_within_the_limits(kind: type[Vp8] | type[H264]):
    encoder = made(kind)
    assert encoder.target_bitrate == 1_000_000
    encoder.target_bitrate = 50_000_000
    assert encoder.target_bitrate == 8_000_000
    encoder.target_bitrate = 1
    assert encoder.target_bitrate == 300_000


def decoders() -> list[tuple[type[Vp8] | type[H264], type, Callable[[list[bytes]], bytes]]]:
    from aiortc.codecs import depayload

    def joined(codec: RTCRtpCodecParameters) -> Callable[[list[bytes]], bytes]:
        return lambda payloads: b"".join(depayload(codec, payload) for payload in payloads)

    return [(Vp8, Vp8Decoder, joined(VP8)), (H264, H264Decoder, joined(AVC))]


@pytest.mark.parametrize(("kind", "decoder", "join"), decoders())
def test_every_frame_leaves_at_once_and_decodes_with_its_own_timestamp(kind, decoder, join):  # type: ignore[no-untyped-def]
    encoder, clip, decode = made(kind, GENEROUS), Clip(), decoder().decode
    for n in range(40):
        frame = clip.frame(n, n / 60)
        payloads, timestamp = encoder.encode(frame)
        (seen,) = decode(JitterFrame(join(payloads), timestamp))
        assert timestamp == frame.pts == n * 1500
        assert (seen.width, seen.height) == (WIDTH, HEIGHT)
        luma = seen.to_ndarray()[:HEIGHT].astype(int) - frame.to_ndarray()[:HEIGHT]
        # The noise alone is 20 on average.
        assert abs(luma).mean() < 12


def sequence_parameters(payloads: list[bytes]) -> bytes:
    """The SPS, which comes first in the first packet."""
    first = payloads[0]
    return first[3:] if first[0] & 0x1F == 24 else first


@pytest.mark.parametrize(
    ("width", "height", "fps", "expected"),
    [(640, 368, 30, 30), (640, 368, 60, 31), (1280, 720, 30, 31), (1920, 1080, 60, 42)],
)
def test_the_level_in_the_stream_is_the_one_it_needs(
    width: int, height: int, fps: int, expected: int
):
    encoder = made(H264)
    encoder._cadence._seen, encoder._cadence._interval = 1000, 1 / fps
    parameters = sequence_parameters(encoder.encode(Clip(width, height).frame(0, 0))[0])
    assert parameters[0] & 0x1F == 7
    assert parameters[1] == 66, "baseline"
    assert parameters[3] == expected


def test_a_faster_video_is_opened_anew_once_for_its_level_and_never_again():
    encoder, clip = made(H264), Clip(64, 64)
    for n in range(60):
        encoder.encode(clip.frame(n, n / 60))
    assert encoder.shape is not None
    assert (encoder.shape.fps, encoder.opened) == (60, 2)
    for n in range(60):
        encoder.encode(clip.frame(n, 1 + n / 30))
    assert (encoder.shape.fps, encoder.opened) == (60, 2)


class Slow:
    """A clock by which each frame takes a given share of its interval."""

    def __init__(self, interval: float) -> None:
        self.share = 0.0
        self._interval = interval
        self._now = 0.0
        self._inside = False

    def __call__(self) -> float:
        self._now += self.share * self._interval if self._inside else 0.0
        self._inside = not self._inside
        return self._now


def test_the_preset_follows_the_time_that_encoding_takes():
    encoder, clip, clock = made(H264), Clip(64, 64), Slow(1 / 30)
    encoder._clock = clock
    number = 0

    def run(share: float, frames: int, *, ask: bool = False) -> int:
        nonlocal number
        clock.share = share
        for _ in range(frames):
            encoder.encode(clip.frame(number % 50, number / 30), ask)
            number += 1
        assert encoder.shape is not None
        return encoder.shape.speed

    assert run(0.4, 100) == 0
    assert run(0.8, 30) == 1, "ultrafast before frames are lost"
    assert run(0.1, 700) == 1, "no key frame for the sake of beauty alone"
    assert run(0.1, 1, ask=True) == 1, "a mistake before: twice the patience"
    assert run(0.1, 700) == 1
    assert run(0.1, 1, ask=True) == 0, "superfast again with a key frame that is due anyway"
    assert encoder.opened == 3


def test_an_encoder_that_breaks_is_replaced_and_only_its_frame_is_lost():
    encoder, clip = H264(DOWNLINK, [Broken(after=2), X264()]), Clip(64, 64)
    sent = [bool(encoder.encode(clip.frame(n, n / 30))[0]) for n in range(5)]
    assert sent == [True, True, False, True, True]
    assert encoder.failures == 1


def test_an_encoder_without_replacement_is_tried_again_and_sends_nothing_meanwhile():
    broken = Broken()
    encoder, clip = H264(DOWNLINK, [broken]), Clip(64, 64)
    assert encoder.encode(clip.frame(0, 0.0)) == ([], 0)
    assert encoder.encode(clip.frame(1, 0.1))[0] == []
    broken.left = 100
    payloads, _ = encoder.encode(clip.frame(2, 0.2))
    assert is_key(H264, payloads)


def test_payloads_can_be_numbered_anew_for_each_receiver():
    encoder = made(Vp8)
    payloads = encoder.encode(Clip().frame(0, 0))[0]
    assert len(payloads) > 1
    again = numbered(payloads, 0x1234)
    assert [each[2:4] for each in again] == [b"\x92\x34"] * len(payloads)
    assert [each[:2] + each[4:] for each in again] == [each[:2] + each[4:] for each in payloads]


def test_a_closed_encoder_holds_no_codec():
    encoder = made(Vp8)
    encoder.encode(Clip().frame(0, 0))
    encoder.close()
    assert encoder._codec is None


def test_a_frame_is_given_back_with_its_own_timestamp():
    encoder = made(Vp8)
    frame = Clip().frame(5, 1.5)
    encoder.encode(frame)
    assert (frame.pts, frame.time_base) == (135_000, Fraction(1, 90000))


def test_other_codecs_keep_aiortcs_encoder():
    assert isinstance(video_encoder(VP8, DOWNLINK), Vp8)
    assert isinstance(video_encoder(AVC, DOWNLINK), H264)
    assert video_encoder(OPUS, DOWNLINK) is None
    assert LibVpx().speeds == 3

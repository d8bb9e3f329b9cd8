"""How codecs are opened, and which are there."""

from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from gateway.transport.compressors import (
    X264,
    Nvenc,
    Shape,
    has_nvenc,
    level,
    rounded_up,
    threads,
)
from gateway.transport.encoders import Downlink, video_encoder
from tests.gateway.broken_compressor import Broken

DOWNLINK = Downlink(1_000_000, 300_000, 8_000_000)
AVC = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000)


def test_levels_rise_with_size_rate_and_bits():
    assert level(Shape(1280, 720, 30), 8_000_000) == "3.1"
    assert level(Shape(1280, 720, 60), 8_000_000) == "3.2"
    assert level(Shape(1280, 720, 30), 16_000_000) == "3.2"
    assert level(Shape(3840, 2160, 60), 12_000_000) == "5.2"
    assert level(Shape(8192, 8192, 60), 12_000_000) == "5.2"


def test_frame_rates_are_rounded_up_with_room_for_unevenness():
    assert [rounded_up(fps) for fps in (10, 30, 32, 50, 60, 65, 90)] == [
        30,
        30,
        30,
        60,
        60,
        60,
        120,
    ]


def test_threads_follow_the_pixels_and_leave_half_of_the_cores():
    assert threads(Shape(1280, 720, 30), 16) == 1
    assert threads(Shape(1920, 1080, 60), 16) == 4
    assert threads(Shape(1920, 1080, 60), 2) == 1
    assert threads(Shape(3840, 2160, 120), 64) == 8


def test_nvenc_is_taken_only_where_one_frame_could_be_encoded():
    assert has_nvenc(X264())
    assert not has_nvenc(Broken())
    (first,) = video_encoder(AVC, DOWNLINK)._compressors  # type: ignore[union-attr]
    assert isinstance(first, X264)
    first, second = video_encoder(AVC, DOWNLINK, nvenc=True)._compressors  # type: ignore[union-attr]
    assert isinstance(first, Nvenc)
    assert isinstance(second, X264)


def test_the_probe_survives_a_machine_without_a_card():
    assert has_nvenc() in (True, False)

"""When encoders make key frames: rarely, and never for nothing."""

from fractions import Fraction

import pytest
from av import VideoFrame

from gateway.transport.encoders import H264, Vp8
from tests.gateway.noisy_clip import HEIGHT, WIDTH, Clip
from tests.gateway.timeless_encoder import is_key, made


def keys(kind: type[Vp8] | type[H264], fps: int, asked: set[int], count: int) -> list[int]:
    encoder, clip = made(kind), Clip(64, 64)
    encoder._cadence._seen = 1000  # frame rate known: no new codec when it settles
    return [
        n
        for n in range(count)
        if is_key(kind, encoder.encode(clip.frame(n, n / fps), n in asked)[0])
    ]


@pytest.mark.parametrize("kind", [Vp8, H264])
def test_a_key_frame_comes_when_asked_for(kind: type[Vp8] | type[H264]):
    assert keys(kind, 30, {20}, 40) == [0, 20]


@pytest.mark.parametrize("kind", [Vp8, H264])
def test_nobody_gets_more_than_two_key_frames_a_second(kind: type[Vp8] | type[H264]):
    assert keys(kind, 30, set(range(1, 61)), 62) == [0, 15, 30, 45, 60]


@pytest.mark.parametrize("kind", [Vp8, H264])
def test_a_request_soon_after_a_key_frame_is_not_forgotten(kind: type[Vp8] | type[H264]):
    assert keys(kind, 30, {3}, 40) == [0, 15]


@pytest.mark.parametrize("kind", [Vp8, H264])
def test_nothing_but_a_request_makes_a_key_frame(kind: type[Vp8] | type[H264]):
    encoder = made(kind)
    encoder._cadence._seen = 1000
    found = []
    for n in range(30):
        clip = Clip() if n < 15 else Clip(WIDTH, HEIGHT)
        frame = clip.frame(n, n / 30)
        if n == 15:  # another scene altogether
            frame = VideoFrame.from_ndarray(255 - frame.to_ndarray(), format="yuv420p")
            frame.pts, frame.time_base = n * 3000, Fraction(1, 90000)
        found.append(is_key(kind, encoder.encode(frame)[0]))
    assert found == [True, *[False] * 29]


@pytest.mark.parametrize("kind", [Vp8, H264])
def test_another_size_begins_with_a_key_frame(kind: type[Vp8] | type[H264]):
    encoder = made(kind)
    encoder.encode(Clip().frame(0, 0))
    encoder.encode(Clip().frame(1, 1 / 30))
    payloads, _ = encoder.encode(Clip(160, 96).frame(2, 2 / 30))
    assert is_key(kind, payloads)
    assert encoder.opened == 2

"""A frame as it arrives through WebRTC: after some frames of VP8 or H.264 of a bitrate."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from models.scenes.camera import Generator, Image, from_bytes, to_bytes

RATE: Final = 30
"""Frames a second."""

FRAMES: Final = 4
"""Encoded before one is looked at: the key frame, and what follows it."""

BITRATES: Final = (0.06, 0.4)
"""Bits a pixel. Browsers send 1280x720 at 30 frames a second with 1 to 2.5 Mbit/s, which is 0.036
to 0.09, and has had seconds to make sharp what stands still; `FRAMES` frames get more, to be as
near to the picture (chosen by eye). The lower end is a stream that has just begun, or a poor
line."""


def draw_bitrate(rng: Generator) -> float:
    """Bits a pixel, evenly over the logarithm."""
    return float(np.exp(rng.uniform(*np.log(BITRATES))))


def received(image: Image, codec: str, bitrate: float, grain: float, rng: Generator) -> Image:
    """`image` as the last of some frames of a stream under rate control.

    Args:
        image: H x W x 3, with its own noise.
        codec: `libvpx` (VP8) or `libx264` (H.264).
        bitrate: bits a pixel.
        grain: deviation of the noise that is new in every frame, and costs bits.
        rng: draws the movement before and the noise.
    """
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    encoder = _encoder(codec, bitrate, (height, width))
    decoder = av.VideoCodecContext.create("vp8" if codec == "libvpx" else "h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    packets = []
    for index, pixels in enumerate(_frames(to_bytes(image)[:height, :width], grain, rng)):
        planes = cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(np.asarray(planes, dtype=np.uint8), format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, RATE)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in (*packets, None) for frame in decoder.decode(packet)]
    seen = from_bytes(cv2.cvtColor(frames[-1].to_ndarray(format="yuv420p"), cv2.COLOR_YUV2RGB_I420))
    if seen.shape == image.shape:
        return seen
    return np.asarray(cv2.resize(seen, (image.shape[1], image.shape[0])), dtype=np.float32)


def _frames(pixels: NDArray[np.uint8], grain: float, rng: Generator) -> list[NDArray[np.uint8]]:
    """The last is `pixels`; those before are moved by up to 2 px a frame and have other noise."""
    height, width = pixels.shape[:2]
    step = rng.uniform(-2, 2, 2) * rng.random() ** 2  # most cameras stand
    field = rng.standard_normal(pixels.shape[:2], dtype=np.float32) * np.float32(255 * grain)
    noise = cv2.merge([field] * 3)
    frames: list[NDArray[Any]] = []
    for back in range(FRAMES - 1, 0, -1):
        matrix = np.array([[1, 0, step[0] * back], [0, 1, step[1] * back]])
        moved = cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        fresh = np.roll(noise, rng.integers((height, width)), (0, 1))
        frames.append(cv2.add(moved, fresh, dtype=cv2.CV_8U))
    return [np.asarray(frame, dtype=np.uint8) for frame in (*frames, pixels)]


def _encoder(codec: str, bitrate: float, size: tuple[int, int]) -> av.VideoCodecContext:
    encoder = av.VideoCodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = size
    encoder.pix_fmt, encoder.thread_count = "yuv420p", 1
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.bit_rate = max(int(bitrate * size[0] * size[1] * RATE), 20_000)
    rate = str(encoder.bit_rate)
    if codec == "libx264":
        encoder.options = {
            "preset": "ultrafast", "tune": "zerolatency", "maxrate": rate, "bufsize": rate,
        }  # fmt: skip
    else:
        # As libwebrtc sets it: quantisers 2..56, a buffer of one second, half full. A positive
        # cpu-used would let the clock decide how hard to search, and so the pixels.
        encoder.options = {
            "deadline": "realtime", "cpu-used": "-8", "qmin": "2", "qmax": "56",
            "minrate": rate, "maxrate": rate, "bufsize": rate,
            "rc_init_occupancy": str(encoder.bit_rate // 2),
        }  # fmt: skip
    return encoder

"""What a webcam and WebRTC do to a picture before the gateway sees it.

Pictures are float32 H x W x 3, RGB, 0..1. Every function draws from the generator it is given and
returns a new array, so that a seed decides everything.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Generator = np.random.Generator

_FRAME = Fraction(1, 30)


def drift(
    image: Image,
    rng: Generator,
    strength: float = 1.0,
    *,
    exposure: float = 1.0,
    tint: float = 1.0,
) -> Image:
    """Exposure, white balance, gamma and contrast as automatics change them between two moments.

    `strength` 1 is gamma 0.85..1.15 (the range of the paper's test set, appendix D.2), gain
    +-12 %, +-5 % per channel, and +-3 % offset. `exposure` and `tint` are shares of that for
    brightness and white balance.
    """
    gamma = np.exp(rng.uniform(-0.15, 0.15) * strength * exposure)
    brighter, tinted = rng.uniform(-0.12, 0.12), rng.uniform(-0.05, 0.05, 3)
    gain = 1 + strength * (exposure * brighter + tint * tinted)
    offset = strength * exposure * rng.uniform(-0.03, 0.03)
    # In float32 throughout: a float64 exponent would make all that follows three times slower.
    bent = np.power(np.clip(image, 0, 1), np.float32(gamma))
    return limited(bent * gain.astype(np.float32) + np.float32(offset))


def shade(image: Image, rng: Generator) -> Image:
    """Uneven change of light over the frame: a lamp, a cloud, the glow of a screen."""
    height, width = image.shape[:2]
    coarse = rng.uniform(0.85, 1.15, (3, 4)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return limited(image * field[..., None])


def defocus(image: Image, rng: Generator) -> Image:
    """Out of focus or moved: a Gaussian or a short line of up to about 1 % of the width."""
    if rng.random() < 0.6:
        sigma = rng.uniform(0.3, 1.5)
        return _image(cv2.GaussianBlur(image, (0, 0), sigma))
    length = int(rng.integers(2, 6))
    kernel = np.zeros((7, 7), np.float32)
    angle = rng.uniform(0, np.pi)
    for t in np.linspace(-length / 2, length / 2, 13):
        kernel[round(3 + t * np.sin(angle) * 0.9), round(3 + t * np.cos(angle) * 0.9)] += 1
    return _image(cv2.filter2D(image, -1, kernel / kernel.sum()))


def sharpen(image: Image, rng: Generator) -> Image:
    """The halo that webcams add."""
    soft = cv2.GaussianBlur(image, (0, 0), 1.2)
    amount = np.float32(rng.uniform(0.2, 1.0))
    return limited(image + amount * (image - soft))


def noise(image: Image, rng: Generator, sigma: float) -> Image:
    """Sensor noise of standard deviation `sigma`, stronger in the dark, partly in blotches."""
    height, width = image.shape[:2]
    grain = rng.standard_normal((height, width, 3), dtype=np.float32)
    if rng.random() < 0.5:  # demosaicing and denoising leave noise that is coarser than a pixel
        coarse = rng.standard_normal(((height + 1) // 2, (width + 1) // 2, 3), dtype=np.float32)
        grain = 0.6 * grain + 0.8 * cv2.resize(coarse, (width, height))
    weight = np.float32(1.2) - np.float32(0.6) * image
    return limited(image + np.float32(sigma) * weight * grain)


def median(image: Image, rng: Generator, sigma: float, frames: int) -> Image:
    """A plate as the gateway learns it: the median over time of noisy 8-bit frames.

    Args:
        image: what the camera looks at.
        rng: draws the noise.
        sigma: standard deviation of the noise of one frame.
        frames: how many, odd; more are costlier and leave less noise, about 1.25 sigma over
            the root of their number.
    """
    grain = rng.standard_normal(image.shape, dtype=np.float32).reshape(-1)
    weighted = np.float32(255 * sigma) * (np.float32(1.2) - np.float32(0.6) * image)
    seen, weighted = image.reshape(-1) * np.float32(255), weighted.reshape(-1)
    # One field of noise, moved on for every frame: pixels stay independent over time.
    shots = [
        _rounded(seen + weighted * np.roll(grain, int(rng.integers(grain.size))))
        for _ in range(frames)
    ]
    # Sorting by exchanges of neighbours, which is fast on bytes; np.median is not.
    for turn in range(frames):
        for at in range(turn % 2, frames - 1, 2):
            low, high = shots[at], shots[at + 1]
            shots[at], shots[at + 1] = np.minimum(low, high), np.maximum(low, high)
    return from_bytes(shots[frames // 2].reshape(image.shape))


def subsample_chroma(image: Image) -> Image:
    """To I420 and back: what every WebRTC codec carries."""
    height, width = image.shape[:2]
    even = cv2.copyMakeBorder(to_bytes(image), 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    planes = cv2.cvtColor(even, cv2.COLOR_RGB2YUV_I420)
    return from_bytes(cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)[:height, :width])


def jpeg(image: Image, quality: int) -> Image:
    """Compressed and decoded again (webcams send MJPEG over USB)."""
    bgr = cv2.cvtColor(to_bytes(image), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return from_bytes(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))


def video(before: Image, image: Image, codec: str, quantiser: int) -> Image:
    """`image` as the second frame of a VP8 or H.264 stream that began with `before`.

    Args:
        before: the frame before, same size.
        image: the frame to compress.
        codec: `libvpx` or `libx264`.
        quantiser: constant quantiser: 10..60 for VP8, 18..42 for H.264.
    """
    height, width = image.shape[:2]
    even = (height // 2 * 2, width // 2 * 2)
    encoder = _encoder(codec, quantiser, even)
    decoder = av.VideoCodecContext.create("vp8" if codec == "libvpx" else "h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    packets = []
    for index, picture in enumerate((before, image)):
        planes = cv2.cvtColor(to_bytes(picture)[: even[0], : even[1]], cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(np.asarray(planes, dtype=np.uint8), format="yuv420p")
        frame.pts, frame.time_base = index, _FRAME
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in (*packets, None) for frame in decoder.decode(packet)]
    seen = from_bytes(cv2.cvtColor(frames[-1].to_ndarray(format="yuv420p"), cv2.COLOR_YUV2RGB_I420))
    return seen if even == (height, width) else _image(cv2.resize(seen, (width, height)))


def _encoder(codec: str, quantiser: int, size: tuple[int, int]) -> av.VideoCodecContext:
    encoder = av.VideoCodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = size
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuv420p", _FRAME, 1
    q = str(quantiser)
    if codec == "libx264":
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "qp": q}
    else:
        # Negative: at 8 the encoder chooses its effort by the time it took, and no two runs agree.
        # A positive cpu-used lets the clock decide how hard to search, and so the pixels.
        encoder.options = {"deadline": "realtime", "cpu-used": "-8", "qmin": q, "qmax": q}
        encoder.bit_rate = 1_000_000  # libvpx wants one, though the quantiser decides
    return encoder


def to_bytes(image: Image) -> NDArray[np.uint8]:
    """0..1 to 0..255, rounded."""
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def _rounded(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (np.clip(levels, 0, 255) + np.float32(0.5)).astype(np.uint8)


def from_bytes(image: NDArray[Any]) -> Image:
    """0..255 to 0..1."""
    return _image(np.multiply(image, np.float32(1 / 255), dtype=np.float32))


def limited(image: NDArray[Any]) -> Image:
    """Clipped to 0..1."""
    return _image(np.clip(image, 0, 1, dtype=np.float32))


def _image(array: NDArray[Any]) -> Image:
    # For the type checker: OpenCV's stubs do not know their dtypes.
    return np.asarray(array, dtype=np.float32)

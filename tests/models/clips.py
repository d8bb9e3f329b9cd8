"""Clips of a made-up scene, as a browser would send them: noisy, flickering, compressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from models import colour

FRAMES = 30
Rgb = np.ndarray


def scene(height: int = 360, width: int = 640) -> Rgb:
    """A wall with shading, a shelf with books, a picture, a plant: edges and texture."""
    rng = np.random.default_rng(11)
    across = np.linspace(0, 1, width)[None, :, None]
    down = np.linspace(0, 1, height)[:, None, None]
    wall = 150 + 40 * across - 30 * down + np.zeros((height, width, 3))
    picture = np.clip(wall + np.array([12, 4, -8]), 0, 255).astype(np.uint8)
    x = 40
    while x < width // 2:
        thick = int(rng.integers(8, 22))
        top = height // 3 - int(rng.integers(30, 60))
        shade = tuple(int(v) for v in rng.integers(30, 220, 3))
        cv2.rectangle(picture, (x, top), (x + thick, height // 3), shade, -1)
        x += thick + 1
    cv2.rectangle(picture, (30, height // 3), (width // 2 + 20, height // 3 + 8), (90, 60, 30), -1)
    coarse = rng.integers(20, 235, (6, 8, 3), dtype=np.uint8)
    framed = cv2.resize(coarse, (160, 110), interpolation=cv2.INTER_CUBIC)
    picture[40:150, width - 200 : width - 40] = framed
    for _ in range(60):
        centre = (width - 120 + int(rng.normal(0, 40)), height - 70 + int(rng.normal(0, 30)))
        axes = (int(rng.integers(6, 22)), int(rng.integers(3, 8)))
        shade = (30, int(rng.integers(60, 140)), 40)
        cv2.ellipse(picture, centre, axes, float(rng.integers(0, 180)), 0, 360, shade, -1)
    # A lens: no camera shows the hard edges of a drawing.
    return cv2.GaussianBlur(picture, (3, 3), 0)


def person(picture: Rgb, x: float, swell: float = 0.0) -> Rgb:
    """Someone in a dark jumper at column `x`, wider by `swell` pixels; subpixel positions count."""
    height, width = picture.shape[:2]
    scale, shift = 16, 4
    mask = np.zeros((height, width), np.uint8)
    centre = (round(x * scale), round(height * 0.95 * scale))
    axes = (round((80 + swell) * scale), round(height * 0.5 * scale))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1, cv2.LINE_AA, shift)
    head = (round(x * scale), round(height * 0.33 * scale))
    cv2.ellipse(mask, head, (38 * scale, 50 * scale), 0, 0, 360, 255, -1, cv2.LINE_AA, shift)
    alpha = mask[..., None] / 255.0
    return (picture * (1 - alpha) + np.array([70, 60, 95]) * alpha).astype(np.uint8)


def shifted(picture: Rgb, dx: float, dy: float = 0.0) -> Rgb:
    """Moved by fractions of a pixel."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def film(make: Callable[[int], Rgb], noise: float = 2.5, frames: int = FRAMES) -> list[Rgb]:
    """Frames with sensor noise of a standard deviation of `noise` steps."""
    rng = np.random.default_rng(5)
    shots = []
    for i in range(frames):
        picture = make(i)
        grain = rng.standard_normal(picture.shape, dtype=np.float32) * noise
        shots.append(np.clip(picture + grain, 0, 255).astype(np.uint8))
    return shots


def plain(shots: Sequence[Rgb]) -> list[np.ndarray]:
    """I420 without compression."""
    return [colour.to_i420(shot) for shot in shots]


def compressed(shots: Sequence[Rgb], codec: str, rate: int) -> list[np.ndarray]:
    """Through a real encoder and decoder: `libvpx` or `libx264`, two key frames a second."""
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.height, encoder.width = shots[0].shape[:2]
    encoder.pix_fmt, encoder.bit_rate, encoder.gop_size = "yuv420p", rate, 15
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.options = (
        {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        if codec == "libvpx"
        else {"preset": "ultrafast", "tune": "zerolatency"}
    )
    decoder: Any = av.CodecContext.create("vp8" if codec == "libvpx" else "h264", "r")
    decoded: list[np.ndarray] = []
    for i, shot in enumerate(plain(shots)):
        frame = av.VideoFrame.from_ndarray(shot, format="yuv420p")
        frame.pts, frame.time_base = i, Fraction(1, 30)
        for packet in encoder.encode(frame):
            decoded += [f.to_ndarray(format="yuv420p") for f in decoder.decode(packet)]
    for packet in [*encoder.encode(None), None]:
        decoded += [f.to_ndarray(format="yuv420p") for f in decoder.decode(packet)]
    return decoded

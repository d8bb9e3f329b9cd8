"""Between the video's planar Y'CbCr (I420) and the network's RGB, on the host and on a device.

Browsers and cameras send BT.601, limited range, unless they say otherwise, and what they say does
not come through aiortc's decoders. `MATRIX` is the one place that assumes it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.errors import PictureError
from models.region import Region
from models.report import I420


class Matrix(NamedTuple):
    """How luma and chroma follow from R'G'B' (ITU-R BT.601, section 2.5), on 8 bits."""

    red: float
    """Share of red in luma."""
    blue: float
    """Share of blue in luma."""
    black: float
    """Luma of black."""
    luma_steps: float
    """Luma of white minus that of black."""
    chroma_steps: float
    """Largest minus smallest chroma; its zero is 128."""

    @property
    def green(self) -> float:
        """Share of green in luma."""
        return 1.0 - self.red - self.blue


MATRIX: Final = Matrix(red=0.299, blue=0.114, black=16.0, luma_steps=219.0, chroma_steps=224.0)
"""BT.601, limited range; OpenCV's I420 conversions are the same."""


def frame_size(source: I420) -> tuple[int, int]:
    """Height and width of an I420 frame.

    Raises:
        PictureError: the array is not an I420 frame.
    """
    if source.dtype != np.uint8 or source.ndim != 2:
        raise PictureError(
            f"an I420 frame is a plane of uint8, not {source.shape} of {source.dtype}"
        )
    height, width = source.shape[0] * 2 // 3, source.shape[1]
    if height * 3 // 2 != source.shape[0] or height % 2 or width % 2 or not height or not width:
        raise PictureError(
            f"an I420 frame has height * 3 / 2 rows and even sides, not {source.shape}"
        )
    return height, width


def planes(source: I420) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Views of luma (H, W) and the chromas Cb and Cr (H/2, W/2 each)."""
    height, width = frame_size(source)
    chroma = source[height:].reshape(2, height // 2, width // 2)
    return source[:height], chroma[0], chroma[1]


def reduced(source: I420, size: tuple[int, int]) -> I420:
    """The frame in a smaller size (rows, columns, both even), itself in its own size."""
    if frame_size(source) == size:
        return source
    height, width = size
    smaller = np.empty((height * 3 // 2, width), np.uint8)
    for plane, target in zip(planes(source), planes(smaller), strict=True):
        target[:] = cv2.resize(plane, target.shape[::-1], interpolation=cv2.INTER_AREA)
    return smaller


def part(source: I420, region: Region) -> I420:
    """A region of a frame, itself where that is all of it."""
    if frame_size(source) == region.size:
        return source
    taken = np.empty((region.height * 3 // 2, region.width), np.uint8)
    for plane, target, where in zip(planes(source), planes(taken), _in_planes(region), strict=True):
        target[:] = plane[where]
    return taken


def put(part: I420, frame: I420, region: Region) -> None:
    """Overwrite a region of a frame."""
    for plane, target, where in zip(planes(part), planes(frame), _in_planes(region), strict=True):
        target[where] = plane


def _in_planes(region: Region) -> tuple[tuple[slice, slice], ...]:
    half = Region(region.top // 2, region.left // 2, region.height // 2, region.width // 2)
    return region.pixels, half.pixels, half.pixels


def to_rgb(source: I420) -> NDArray[np.uint8]:
    """H x W x 3, RGB; each chroma sample colours its 2x2 pixels."""
    frame_size(source)
    rgb = cv2.cvtColor(np.ascontiguousarray(source), cv2.COLOR_YUV2RGB_I420)
    return np.asarray(rgb, dtype=np.uint8)


def to_i420(rgb: NDArray[np.uint8]) -> I420:
    """The I420 frame of an RGB picture with even sides.

    Raises:
        PictureError: a side is odd.
    """
    if rgb.shape[0] % 2 or rgb.shape[1] % 2:
        raise PictureError(f"I420 needs even sides, not {rgb.shape[1]}x{rgb.shape[0]}")
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)


def to_rgb_tensor(source: Tensor, dtype: torch.dtype) -> Tensor:
    """(N, 3, H, W) of RGB, 0..1, from I420 frames of uint8 on any device.

    `source` is one frame (H * 3 / 2, W), which gives N = 1, or several (N, H * 3 / 2, W).
    """
    frames = source if source.dim() == 3 else source[None]
    height, width = frames.shape[1] * 2 // 3, frames.shape[2]
    # fp16 holds these values exactly enough: at most 255, and the result is 0..1.
    luma = frames[:, :height].to(torch.float32).sub_(MATRIX.black).mul_(1 / MATRIX.luma_steps)
    chroma = frames[:, height:].reshape(-1, 2, height // 2, width // 2).to(torch.float32)
    chroma = chroma.sub_(128.0).mul_(1 / MATRIX.chroma_steps)
    chroma = functional.interpolate(chroma, scale_factor=2, mode="nearest")
    red = luma + 2 * (1 - MATRIX.red) * chroma[:, 1]
    blue = luma + 2 * (1 - MATRIX.blue) * chroma[:, 0]
    green = (luma - MATRIX.red * red - MATRIX.blue * blue) / MATRIX.green
    return torch.stack([red, green, blue], 1).clamp_(0, 1).to(dtype)


def to_i420_tensor(rgb: Tensor) -> Tensor:
    """(H * 3 / 2, W) of uint8 from (1, 3, H, W) of RGB, 0..1; chroma is the mean of 2x2."""
    if rgb.shape[0] != 1:
        raise ValueError(f"one picture, not {rgb.shape[0]}: several go through to_i420_tensors")
    return to_i420_tensors(rgb)[0]


def to_i420_tensors(rgb: Tensor) -> Tensor:
    """(N, H * 3 / 2, W) of uint8 from (N, 3, H, W) of RGB, 0..1."""
    red, green, blue = rgb.to(torch.float32).clamp(0, 1).unbind(1)
    luma = MATRIX.red * red + MATRIX.green * green + MATRIX.blue * blue
    cb = (blue - luma) / (2 * (1 - MATRIX.blue))
    cr = (red - luma) / (2 * (1 - MATRIX.red))
    chroma = functional.avg_pool2d(torch.stack([cb, cr], 1), 2)
    count, height, width = luma.shape
    frames = torch.empty((count, height * 3 // 2, width), dtype=torch.uint8, device=rgb.device)
    frames[:, :height] = luma.mul(MATRIX.luma_steps).add(MATRIX.black).round().to(torch.uint8)
    chroma = chroma.mul(MATRIX.chroma_steps).add(128.0).round().to(torch.uint8)
    frames[:, height:] = chroma.reshape(count, height // 2, width)
    return frames


def thumbnail(source: I420, rows: int, columns: int) -> NDArray[np.float32]:
    """(rows, columns, 3) of RGB, 0..1: means over areas of a frame, without converting it whole.

    The conversion is linear but for its clamp, so that the means may be taken first.
    """
    small = [
        cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
        for plane in planes(np.ascontiguousarray(source))
    ]
    luma = (small[0] - MATRIX.black) / MATRIX.luma_steps
    cb, cr = ((plane - 128) / MATRIX.chroma_steps for plane in small[1:])
    red = luma + 2 * (1 - MATRIX.red) * cr
    blue = luma + 2 * (1 - MATRIX.blue) * cb
    green = (luma - MATRIX.red * red - MATRIX.blue * blue) / MATRIX.green
    rgb = np.clip(np.stack([red, green, blue], 2), 0, 1)
    return np.asarray(rgb, dtype=np.float32)

"""I420 and RGB agree with PyAV's own conversion and with each other."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models import colour
from models.errors import PictureError


def smooth_picture(height: int = 96, width: int = 128) -> NDArray[np.uint8]:
    """Every hue, without edges that each library would resample its own way."""
    coarse = np.random.default_rng(3).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def pyav_i420(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace="ITU601").to_ndarray()


def pyav_rgb(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    video = av.VideoFrame.from_ndarray(frame, format="yuv420p")
    return video.reformat(format="rgb24", src_colorspace="ITU601").to_ndarray()


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.abs(first.astype(float) - second.astype(float))


def test_the_host_reads_i420_as_pyav_does():
    frame = pyav_i420(smooth_picture())
    apart = difference(colour.to_rgb(frame), pyav_rgb(frame))
    assert apart.mean() < 2
    assert apart.max() < 24  # chroma is repeated here and interpolated there


def test_the_host_writes_i420_as_pyav_does():
    apart = difference(colour.to_i420(smooth_picture()), pyav_i420(smooth_picture()))
    assert apart.mean() < 1
    assert apart.max() < 16  # chroma is picked here and averaged there


def test_grey_is_limited_range():
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert colour.to_i420(black)[0, 0] == 16
    assert colour.to_i420(white)[0, 0] == 235


def test_tensors_convert_as_the_host_does():
    frame = colour.to_i420(smooth_picture())
    rgb = colour.to_rgb_tensor(torch.from_numpy(frame), torch.float32)
    assert rgb.shape == (1, 3, 96, 128)
    expected = colour.to_rgb(frame)
    apart = difference((rgb[0].permute(1, 2, 0) * 255).round().byte().numpy(), expected)
    assert apart.max() <= 1
    back = colour.to_i420_tensor(rgb).numpy()
    assert difference(back, frame).max() <= 6  # only colours outside RGB's cube move
    assert difference(back, frame).mean() < 0.3


def test_a_video_frame_survives_the_way_through_rgb():
    frame = pyav_i420(cv2.convertScaleAbs(smooth_picture(), alpha=0.5, beta=64))
    assert difference(colour.to_i420(colour.to_rgb(frame)), frame).max() <= 2


@pytest.mark.parametrize("shape", [(3, 4, 3), (4, 4), (6, 3), (8, 4), (0, 0)])
def test_arrays_that_are_not_i420_are_refused(shape: tuple[int, ...]):
    with pytest.raises(PictureError):
        colour.to_rgb(np.zeros(shape, np.uint8))


def test_a_picture_with_an_odd_side_has_no_i420():
    with pytest.raises(PictureError, match="even"):
        colour.to_i420(np.zeros((3, 4, 3), np.uint8))

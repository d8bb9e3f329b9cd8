"""Did anything move while the plate was captured? Seen on thumbnails over time.

Three things change a still scene's pixels and are not motion: sensor noise, exposure that flickers
by a few percent, and the codec, whose key frames change fine detail everywhere at once. Averaging
blocks of pixels (a thumbnail) and groups of frames (a slice of time) takes out the first and most
of the third; fitting every thumbnail's gain and offset to the median takes out the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models import colour

Floats = NDArray[np.float32]

THUMBNAIL_WIDTH: Final = 160
SLICES: Final = 6
"""Slices of time that are compared: 5 frames of 30 each, a sixth of a second."""

SMALLEST_STEP: Final = 6.0
"""Steps of 255 between two slices that count as motion. Codecs at video-call rates change a still
thumbnail by 2 to 4; half a pixel of motion of a person's outline against a wall, at 640 pixels of
width, changes it by 6 and more."""

LARGEST_SHARE: Final = 0.002
"""Share of the thumbnail in motion that spoils a plate: the outline of a person who sways by a
pixel is 0.5 % of the picture, the sensor's and the codec's outliers are a few pixels."""

LARGEST_SHIFT: Final = 0.35
"""Shift of the whole picture from the first to the last slice, in pixels at 640 of width. A camera
that still slides at this rate is a pixel off within the next seconds; a still one measures below
0.1 even with a codec between."""


@dataclass(frozen=True, slots=True)
class Motion:
    """How much moved in a capture."""

    share: float
    """Of the picture, 0..1."""
    shift: float
    """Of the whole picture, in pixels at 640 of width."""

    @property
    def moved(self) -> bool:
        """Whether it is too much for a plate."""
        return self.share > LARGEST_SHARE or self.shift > LARGEST_SHIFT

    def __str__(self) -> str:
        """Both numbers with their limits."""
        return (
            f"{self.share:.2%} of the picture moved, at most {LARGEST_SHARE:.2%}; "
            f"the camera by {self.shift:.2f} px, at most {LARGEST_SHIFT}"
        )


def measure_motion(stack: NDArray[np.uint8]) -> Motion:
    """Motion in I420 frames of one size in order of time, (N, H * 3 / 2, W)."""
    thumbnails = _steady(np.stack([_thumbnail(frame) for frame in stack]))
    slices = np.stack([part.mean(0) for part in np.array_split(thumbnails, SLICES)])
    middle = np.median(thumbnails, axis=0)
    noise = 1.4826 * float(np.median(np.abs(thumbnails - middle)))
    step = max(SMALLEST_STEP, 6 * noise / np.sqrt(len(stack) / SLICES))
    changed = (slices.max(0) - slices.min(0)).max(2) > step
    # Lone pixels are noise: ask for company.
    company = cv2.boxFilter(changed.astype(np.float32), -1, (3, 3), normalize=False)
    share = float((changed & (company >= 3)).mean())
    return Motion(share, _shift(slices[0, :, :, 0], slices[-1, :, :, 0]) * 640 / THUMBNAIL_WIDTH)


def _thumbnail(frame: NDArray[np.uint8]) -> Floats:
    """(h, w, 3): luma and both chromas, in 8-bit steps."""
    luma, cb, cr = colour.planes(frame)
    height, width = luma.shape
    size = (THUMBNAIL_WIDTH, max(round(THUMBNAIL_WIDTH * height / width), 2))
    layers = [
        cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        for plane in (luma, cb, cr)
    ]
    return np.stack(layers, axis=2).astype(np.float32)


def _steady(thumbnails: Floats) -> Floats:
    """The same with each one's exposure and white balance fitted to the median's."""
    middle = np.median(thumbnails, axis=0).astype(np.float32)
    steady = np.empty_like(thumbnails)
    for i, thumbnail in enumerate(thumbnails):
        for channel in range(3):
            values, target = thumbnail[..., channel], middle[..., channel]
            gain, offset = _trimmed_fit(values, target)
            steady[i, ..., channel] = gain * values + offset
    return steady


def _trimmed_fit(values: Floats, target: Floats) -> tuple[float, float]:
    """Gain and offset that take `values` to `target`, where most of the picture agrees."""
    x, y = values.ravel().astype(np.float64), target.ravel().astype(np.float64)
    gain, offset = 1.0, float(np.median(y - x))
    for _ in range(2):
        apart = np.abs(gain * x + offset - y)
        kept = apart <= max(2.5 * float(np.median(apart)), 0.5)
        mean_x, mean_y = x[kept].mean(), y[kept].mean()
        # One squared step per pixel in favour of a gain of 1: a plain wall knows no gain.
        variance = float(((x[kept] - mean_x) ** 2).mean()) + 1.0
        covariance = float(((x[kept] - mean_x) * (y[kept] - mean_y)).mean()) + 1.0
        gain = float(np.clip(covariance / variance, 0.8, 1.25))
        offset = float(mean_y - gain * mean_x)
    return gain, offset


def _shift(first: Floats, last: Floats) -> float:
    """Length of the translation from one luma to the other, in pixels of theirs.

    Least squares on the gradients (Lucas and Kanade 1981), right for less than about a pixel, which
    is where the share of changed pixels does not see it yet. 0 where there is no structure.
    """
    mean = (first + last) / 2
    across = cv2.Sobel(mean, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8).ravel().astype(np.float64)
    down = cv2.Sobel(mean, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8).ravel().astype(np.float64)
    change = (last - first).ravel().astype(np.float64)
    # Two squared steps of doubt per pixel: it takes edges, not noise, to call it a shift.
    doubt = 2.0 * np.eye(2)
    structure = np.array([[across @ across, across @ down], [across @ down, down @ down]])
    structure = structure / len(change) + doubt
    solution = np.linalg.solve(structure, -np.array([across @ change, down @ change]) / len(change))
    return float(np.hypot(*solution))

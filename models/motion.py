"""Did anything move while the plate was captured? Seen on thumbnails over time.

Three things change a still scene's pixels and are not motion: sensor noise, exposure that flickers
by a few percent, and the codec, whose blocks come and go with every key frame. Averaging blocks of
pixels (a thumbnail) and groups of frames (a slice of time) takes out the first, fitting every
thumbnail's gain and offset to the median the second. The third can change a still thumbnail more
than a breathing person does, but not like something that is shifted: so small motion is looked for
as a displacement that explains the change, and only what changes much counts by its size.

Measured on rooms with noise and 2 % flicker, coded at 640x360 by VP8 at 1000 and 300 kbit/s and
H.264 at 400 with two key frames a second: still scenes 0.0 %; a person who breathes (outline moves
by a pixel) 1.7 to 24 %, sways by 1.5 pixels 13 to 32 %, walks 25 to 36 %.
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

LARGE_STEP: Final = 14.0
"""Change between slices, in steps of 255 over 3x3 thumbnail pixels, that is motion whatever its
form; codecs stay below."""

LARGE_SHARE: Final = 0.002
"""Share of the thumbnail with a `LARGE_STEP` that spoils a plate: 29 pixels, an eighth by a
twentieth of the picture's sides."""

SMALL_SHIFT: Final = 0.3
"""Displacement of a part of the picture, in pixels at 640 of width, that is motion."""

COHERENCE: Final = 0.35
"""Share of a part's change that its displacement must explain."""

SMALL_SHARE: Final = 0.005
"""Share of the thumbnail with a `SMALL_SHIFT` that spoils a plate. A moving outline colours its
whole neighbourhood (17 thumbnail pixels, a tenth of the width), so this is a short piece of one."""

LARGEST_SHIFT: Final = 0.35
"""Shift of the whole picture from the first to the last slice, in pixels at 640 of width. A camera
that still slides at this rate is a pixel off within the next seconds; a still one measures below
0.1 even with a codec between."""

DOUBT: Final = 10.0
"""Mean squared gradient, in steps per thumbnail pixel, below which a part has too little structure
to know its displacement."""


@dataclass(frozen=True, slots=True)
class Motion:
    """How much moved in a capture."""

    large: float
    """Share of the picture that changed much, 0..1."""
    small: float
    """Share of the picture that was displaced, 0..1."""
    shift: float
    """Of the whole picture, in pixels at 640 of width."""

    @property
    def moved(self) -> bool:
        """Whether it is too much for a plate."""
        return self.large > LARGE_SHARE or self.small > SMALL_SHARE or self.shift > LARGEST_SHIFT

    @property
    def share(self) -> float:
        """Of the picture that moved in one way or the other, 0..1."""
        return max(self.large, self.small)

    def __str__(self) -> str:
        """All numbers with their limits."""
        return (
            f"{self.large:.2%} of the picture changed, at most {LARGE_SHARE:.2%}; "
            f"{self.small:.2%} was displaced, at most {SMALL_SHARE:.2%}; "
            f"the camera moved by {self.shift:.2f} px, at most {LARGEST_SHIFT}"
        )


def measure_motion(stack: NDArray[np.uint8]) -> Motion:
    """Motion in I420 frames of one size in order of time, (N, H * 3 / 2, W)."""
    thumbnails = _steady(np.stack([_thumbnail(frame) for frame in stack]))
    slices = np.stack([part.mean(0) for part in np.array_split(thumbnails, SLICES)])
    smooth = np.stack([cv2.blur(part, (3, 3)) for part in slices])
    large = float(((smooth.max(0) - smooth.min(0)).max(2) > LARGE_STEP).mean())
    luma = slices[..., 0]
    small = float((_displacement(luma) > SMALL_SHIFT).mean())
    return Motion(large, small, _shift(luma[0], luma[-1]) * 640 / THUMBNAIL_WIDTH)


def _displacement(slices: Floats) -> Floats:
    """(h, w): the largest coherent displacement between slices (n, h, w), pixels at 640 of width.

    Lucas and Kanade 1981 in every neighbourhood. Slices next to each other are not compared: the
    slow motions meant here add up.
    """
    mean = slices.mean(0)
    across = cv2.Sobel(mean, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(mean, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    both = _around(across * down)
    xx, yy = _around(across * across) + DOUBT, _around(down * down) + DOUBT
    determinant = xx * yy - both * both
    largest = np.zeros_like(mean)
    for i in range(len(slices)):
        for j in range(i + 2, len(slices)):
            change = slices[j] - slices[i]
            x, y = _around(across * change), _around(down * change)
            dx, dy = (both * y - yy * x) / determinant, (both * x - xx * y) / determinant
            # 1 squared step of noise, so that nothing out of nothing is not coherent.
            explained = -(dx * x + dy * y) / (_around(change * change) + 1)
            length = np.hypot(dx, dy) * (640 / THUMBNAIL_WIDTH)
            np.maximum(largest, np.where(explained > COHERENCE, length, 0), out=largest)
    return np.asarray(largest, dtype=np.float32)


def _around(values: Floats) -> Floats:
    """Mean over the neighbourhood of every pixel."""
    return np.asarray(cv2.blur(values, (17, 17)), dtype=np.float32)


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

"""Errors inside a trimap's band: what the paper's tables show (Lin et al. 2021, appendix D.2).

The official scripts read pictures of 8 bits. So does everything here: alphas and colours go through
`rounded` first, and are float32 in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.connectivity import connectivity_map
from models.evaluation.metrics import gradient_map

Alpha = NDArray[np.float32]
Trimap = NDArray[np.uint8]

ROOM: Final = 0
BAND: Final = 128
PERSON: Final = 255

_SURELY_ROOM, _SURELY_PERSON = 0.06, 0.96
_STEPS = 10


@dataclass(frozen=True, slots=True)
class BandScores:
    """Unscaled sums and means over the pixels where the trimap is `BAND`."""

    sad: float
    """Sum of absolute differences; papers print thousands."""
    mse: float
    """Mean squared error, 0..1."""
    grad: float
    """Gradient error of mattes stretched to 0..1."""
    conn: float
    """Connectivity error."""
    pixels: int
    """Of the band."""


def make_trimap(alpha: Alpha) -> Trimap:
    """H x W of `ROOM`, `BAND` and `PERSON`, by the paper's recipe.

    The band is where 0.06 < alpha < 0.96, dilated ten times and eroded ten times with a 3x3 disc:
    gaps up to 20 pixels wide inside the hair close, its outline stays where it is.
    """
    unsure = ((alpha > _SURELY_ROOM) & (alpha < _SURELY_PERSON)).astype(np.uint8)
    band = _morph(_morph(unsure, cv2.MORPH_DILATE, _STEPS), cv2.MORPH_ERODE, _STEPS)
    trimap = np.where(alpha >= _SURELY_PERSON, PERSON, ROOM)
    return np.where(band > 0, BAND, trimap).astype(np.uint8)


def band_scores(
    prediction: Alpha, truth: Alpha, trimap: Trimap, connectivity: Alpha | None = None
) -> BandScores | None:
    """SAD, MSE, Grad and Conn in the band, or None where there is none.

    All are H x W; rows and columns beyond a multiple of 4 are left out, as the official scripts do.

    Args:
        prediction: alpha, 0..1.
        truth: alpha, 0..1.
        trimap: of `make_trimap`, or drawn by hand.
        connectivity: what `connectivity_map` says of frames whose sides are multiples of 4, if it
            is at hand; it takes longer than all the rest.
    """
    prediction, truth, trimap = (_trimmed(array) for array in (prediction, truth, trimap))
    band = trimap == BAND
    count = int(np.count_nonzero(band))
    if not count:
        return None
    difference = (prediction - truth)[band]
    if connectivity is None or connectivity.shape != truth.shape:
        connectivity = connectivity_map(prediction, truth)
    return BandScores(
        sad=float(np.abs(difference).sum(dtype=np.float64)),
        mse=float(np.square(difference).mean(dtype=np.float64)),
        grad=_sum(gradient_map(prediction, truth, stretched=True), band),
        conn=_sum(connectivity, band),
        pixels=count,
    )


def foreground_mse(
    prediction: NDArray[np.float32], truth: NDArray[np.float32], alpha: Alpha, trimap: Trimap
) -> float | None:
    """Mean squared error of the colours (H x W x 3) in the band, or None where there is no band.

    Colours where `alpha` is 0 count as right, but their pixels are divided by: that is how the
    official script has it.
    """
    prediction, truth = _trimmed(prediction), _trimmed(truth)
    band = _trimmed(trimap) == BAND
    if not band.any():
        return None
    shown = (_trimmed(alpha) > 0)[band]
    error = np.square(prediction[band] - truth[band]).mean(1, dtype=np.float64)
    return float((error * shown).mean())


def rounded(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """0..1 as a picture of 8 bits holds it."""
    levels = np.floor(np.clip(values, 0, 1) * np.float32(255) + np.float32(0.5))
    return np.asarray(levels / np.float32(255), dtype=np.float32)


def widened(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """The mask and what is within about `pixels` of it."""
    return _morph(mask.view(np.uint8), cv2.MORPH_DILATE, pixels) > 0


def _morph(mask: NDArray[Any], operation: int, steps: int) -> NDArray[np.uint8]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    # Beyond the frame nothing is known: a band that leaves the frame must not be eaten there.
    return np.asarray(cv2.morphologyEx(mask, operation, disc, iterations=steps), dtype=np.uint8)


def _trimmed(array: NDArray[Any]) -> NDArray[Any]:
    rows, columns = (side // 4 * 4 for side in array.shape[:2])
    return array[:rows, :columns]


def _sum(values: Alpha, band: NDArray[np.bool_]) -> float:
    return float(values[band].sum(dtype=np.float64))

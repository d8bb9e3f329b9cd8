"""Connectivity error (Rhemann et al. 2009): how far pixels stray from the one body they belong to.

Everything is in float32, as the published scripts compute: in float64 153/255 falls below the
threshold 0.6 and a pixel changes its level.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.float32]

LEVELS: Final = tuple(np.float32(level / 10) for level in range(1, 11))
"""Thresholds; at 0 everything is connected."""

TOLERATED: Final = np.float32(0.15)
"""A smaller distance from a pixel's level counts as none."""


def connectivity_map(prediction: Alpha, truth: Alpha) -> Alpha:
    """How much every pixel's connectedness differs, H x W, 0..1; its sum is the error.

    Args:
        prediction: H x W, 0..1.
        truth: the same shape and range.
    """
    common = np.minimum(prediction, truth)
    level = _levels(common)
    difference = _connected(prediction, level) - _connected(truth, level)
    return np.asarray(np.abs(difference), dtype=np.float32)


def connectivity_error(prediction: Alpha, truth: Alpha) -> float:
    """Sum over all pixels, unscaled (papers print thousands)."""
    return float(connectivity_map(prediction, truth).sum(dtype=np.float64))


def _levels(common: Alpha) -> Alpha:
    """The last threshold at which a pixel still belongs to the largest 4-connected body."""
    level = np.zeros_like(common)
    rows, columns = _extent(common >= LEVELS[0])
    inside = common[rows, columns]
    if not inside.size:
        return level
    held = np.ones(inside.shape, dtype=bool)
    found = np.zeros_like(inside)
    for threshold in LEVELS:
        held &= _largest_body(inside >= threshold)
        if not held.any():
            break
        # Thresholds rise, so what is written last is the last one that held.
        found[held] = threshold
    level[rows, columns] = found
    return level


def _extent(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns that hold anything: the rest of a frame is at level 0 already."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0), slice(0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _largest_body(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of the largest 4-connected body; none where the mask is empty."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(
        mask.view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    areas = statistics[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return np.zeros_like(mask)
    return np.asarray(labels == 1 + int(areas.argmax()))


def _connected(alpha: Alpha, level: Alpha) -> Alpha:
    distance = alpha - level
    return np.asarray(1 - distance * (distance >= TOLERATED), dtype=np.float32)

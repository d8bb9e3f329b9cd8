"""Colours carried from where they are known to where they are not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def spread(values: Floats, weights: Floats) -> Floats:
    """Fill a picture from its trusted pixels: by the nearest ones, smoother the farther away.

    Push-pull over a pyramid (Gortler et al. 1996, The Lumigraph): every level halves
    the picture, and what a level does not know comes from the one above it.

    Args:
        values: H x W x C.
        weights: H x W in 0..1; where it is 1 the value stays, where it is 0 it is replaced.

    Returns:
        H x W x C; the plain mean where nothing is trusted at all.
    """
    height, width = weights.shape
    if min(height, width) <= 1:
        total = float(weights.sum())
        mean = (values * weights[..., None]).sum((0, 1)) / total if total else values.mean((0, 1))
        return np.asarray(np.broadcast_to(mean, values.shape), dtype=np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    coarse_weights = shrink(weights, half)
    coarse = shrink(values * weights[..., None], half)
    coarse /= np.maximum(coarse_weights, 1e-6)[..., None]
    # Twice the trust above: a pixel that is half known settles its whole parent.
    above = spread(coarse, np.minimum(coarse_weights * 2, 1))
    filled = enlarge(above, (width, height))
    keep = weights[..., None]
    return np.asarray(values * keep + filled * (1 - keep), dtype=np.float32)


def shrink(picture: Floats, size: tuple[int, int]) -> Floats:
    """To `size` (width, height), every pixel the mean of those it covers; channels are kept."""
    smaller = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, dtype=np.float32).reshape(size[1], size[0], *picture.shape[2:])


def enlarge(picture: Floats, size: tuple[int, int]) -> Floats:
    """To `size` (width, height), without edges; channels are kept."""
    larger = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, dtype=np.float32).reshape(size[1], size[0], *picture.shape[2:])

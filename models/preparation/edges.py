"""Clean-up of a raw alpha: along the edges of the picture, and without specks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def guided(alpha: Floats, picture: Floats, radius: int, smoothness: float) -> Floats:
    """Alpha smoothed along, never across, the edges of the picture.

    He, Sun and Tang 2010, Guided Image Filtering, with a picture in colour as the guide: in every
    window alpha is a linear function of the picture's colour.

    Args:
        alpha: H x W in 0..1.
        picture: H x W x 3 in 0..1.
        radius: of the windows, in pixels.
        smoothness: variance of colour below which a window counts as flat (epsilon).

    Returns:
        H x W in 0..1.
    """

    def mean(values: Floats) -> Floats:
        side = 2 * radius + 1
        return np.asarray(
            cv2.boxFilter(values, -1, (side, side), borderType=cv2.BORDER_REFLECT), np.float32
        )

    colour, level = mean(picture), mean(alpha)
    covariance = mean(picture * alpha[..., None]) - colour * level[..., None]
    r, g, b = np.moveaxis(picture, -1, 0)
    red, green, blue = np.moveaxis(colour, -1, 0)
    rr = mean(r * r) - red * red + smoothness
    gg = mean(g * g) - green * green + smoothness
    bb = mean(b * b) - blue * blue + smoothness
    rg, rb, gb = mean(r * g) - red * green, mean(r * b) - red * blue, mean(g * b) - green * blue
    # The inverse of the symmetric 3 x 3 matrix by its cofactors: no pixel-wise solver is as fast.
    c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c11, c12, c22 = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * c00 + rg * c01 + rb * c02
    s, t, u = np.moveaxis(covariance, -1, 0)
    slope = np.stack(
        [c00 * s + c01 * t + c02 * u, c01 * s + c11 * t + c12 * u, c02 * s + c12 * t + c22 * u], -1
    )
    slope /= determinant[..., None]
    offset = level - (slope * colour).sum(-1)
    smooth = (mean(np.asarray(slope, np.float32)) * picture).sum(-1) + mean(offset)
    return np.asarray(np.clip(smooth, 0, 1), np.float32)


def despeckle(alpha: Floats, smallest: int) -> Floats:
    """Without islands and holes of fewer than `smallest` pixels.

    An island is an area above 0 that never touches a larger one; a hole lies within alpha 1. Soft
    hair is part of its island as long as it is connected at all.

    Args:
        alpha: H x W in 0..1.
        smallest: pixels; 0 keeps everything.

    Returns:
        H x W in 0..1.
    """
    if smallest <= 0:
        return alpha
    cleaned = alpha.copy()
    cleaned[_small_areas(alpha > 0.02, smallest)] = 0
    cleaned[_small_areas(cleaned < 0.98, smallest)] = 1
    return cleaned


def _small_areas(mask: NDArray[np.bool_], smallest: int) -> NDArray[np.bool_]:
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    small = statistics[:, cv2.CC_STAT_AREA] < smallest
    small[0] = False
    return np.asarray(small[labels], dtype=np.bool_)

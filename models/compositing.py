"""The picture behind the person: any backdrop as a frame of the source's size."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.backdrop import KEYING_GREEN, Backdrop, Blur, Colour, Picture, Transparent

NO_SCENE: Final = Colour(32, 34, 38)
"""Shown for a blurred scene while there is no plate: the source must never be seen instead."""


def paint_backdrop(
    backdrop: Backdrop, height: int, width: int, plate: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """(height, width, 3), RGB. `plate`, of any size, is what a `Blur` blurs."""
    match backdrop:
        case Picture(rgb=rgb):
            return cover(rgb, height, width)
        case Blur(radius=radius) if plate is not None:
            return blur(cover(plate, height, width), radius)
        case Blur():
            return _flat(NO_SCENE, height, width)
        case Transparent():
            return _flat(KEYING_GREEN, height, width)
        case Colour():
            return _flat(backdrop, height, width)


def cover(rgb: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Scale to cover `height` x `width`, keep the aspect, crop around the centre."""
    rows, columns = rgb.shape[:2]
    if (rows, columns) == (height, width):
        return np.ascontiguousarray(rgb)
    scale = max(height / rows, width / columns)
    # Crop first, so that an extreme aspect never makes a huge picture on the way.
    kept_rows = min(rows, max(1, round(height / scale)))
    kept_columns = min(columns, max(1, round(width / scale)))
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    cropped = rgb[top : top + kept_rows, left : left + kept_columns]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(np.ascontiguousarray(cropped), (width, height), interpolation=method)
    return np.asarray(resized, dtype=np.uint8)


def blur(rgb: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    """Gaussian blur with a standard deviation of `radius` pixels at a height of 720.

    Wide blurs run on a reduced picture: what they keep fits into it.
    """
    height, width = rgb.shape[:2]
    sigma = radius * height / 720
    if sigma < 0.3:
        return rgb.copy()
    reduction = max(1, int(sigma / 4))
    size = (max(width // reduction, 1), max(height // reduction, 1))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / reduction, borderType=cv2.BORDER_REPLICATE)
    back = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(back, dtype=np.uint8)


def compose(
    alpha: NDArray[np.float32], foreground: NDArray[np.uint8], backdrop: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """alpha F + (1 - alpha) B' on the host: (H, W) of 0..1 and two pictures (H, W, 3)."""
    mixed = cv2.blendLinear(foreground, backdrop, alpha, 1 - alpha)
    return np.asarray(mixed, dtype=np.uint8)


def _flat(colour: Colour, height: int, width: int) -> NDArray[np.uint8]:
    flat = np.empty((height, width, 3), np.uint8)
    flat[:] = (colour.red, colour.green, colour.blue)
    return flat

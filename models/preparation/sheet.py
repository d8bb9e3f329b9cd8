"""Results to look at: numbers do not show whether hair and hems are right."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def over_checkerboard(foreground: Pixels, alpha: Pixels, square: int = 16) -> Pixels:
    """The person over two greys: H x W x 3 RGB, from H x W x 3 and H x W."""
    height, width = alpha.shape
    y, x = np.mgrid[:height, :width]
    board = np.where((y // square + x // square) % 2, 115, 190)[..., None]
    opacity = alpha[..., None] / 255
    return np.rint(foreground * opacity + board * (1 - opacity)).astype(np.uint8)


def row(picture: Pixels, foreground: Pixels, alpha: Pixels, height: int = 360) -> Pixels:
    """Picture, alpha, foreground, and the person over a checkerboard, side by side; RGB."""
    board = over_checkerboard(foreground, alpha, max(4, alpha.shape[0] // 45))
    cells = np.concatenate([picture, np.dstack([alpha] * 3), foreground, board], 1)
    scale = height / cells.shape[0]
    size = (max(1, round(cells.shape[1] * scale)), height)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cells, size, interpolation=way), dtype=np.uint8)


def stack(rows: Sequence[Pixels]) -> Pixels:
    """Rows of one height below each other, the narrower ones filled with white."""
    width = max(row.shape[1] for row in rows)
    padded = [
        np.pad(row, ((0, 6), (0, width - row.shape[1]), (0, 0)), constant_values=255)
        for row in rows
    ]
    return np.concatenate(padded)

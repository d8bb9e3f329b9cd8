"""The garbage matte: what the camera saw beyond the screen is thrown away, whatever its colour."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MARGIN: Final = 0.12
"""Share of the screen's width or height: what touches its edge and stays this close to it is a
light stand or the screen's frame, not a person."""


def without_garbage(alpha: Floats, sure: Floats) -> Floats:
    """Alpha of what stands before the screen only.

    Args:
        alpha: H x W in 0..1.
        sure: H x W, 1 where the screen itself is seen, else 0.

    Returns:
        H x W in 0..1.
    """
    kept = _before_screen(sure)
    rows, columns = np.nonzero(kept.any(1))[0], np.nonzero(kept.any(0))[0]
    top, left, right = int(rows[0]), int(columns[0]), int(columns[-1]) + 1
    remaining = alpha * kept
    remaining[top:, left:right] = _without_stands(remaining[top:, left:right])
    return np.asarray(remaining, np.float32)


def _before_screen(sure: Floats) -> Floats:
    """Where the screen is, or would be seen but for the person: H x W, 0 or 1.

    The screen is taken to be convex and to reach down to the picture's lower edge, or to hide
    behind the person there: the convex hull of what is seen of it, drawn on downwards.
    """
    height, width = sure.shape
    step = max(1, round(max(height, width) / 500))
    size = (max(1, width // step), max(1, height // step))
    small = cv2.resize(sure, size, interpolation=cv2.INTER_NEAREST)
    seen = cv2.morphologyEx(
        (small > 0.5).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(seen)
    large = statistics[:, cv2.CC_STAT_AREA] >= 0.004 * seen.size
    large[0] = False
    rows, columns = np.nonzero(large[labels])
    if not len(rows):
        return np.ones_like(sure)
    lowest = np.full_like(rows, seen.shape[0] - 1)
    points = np.stack([np.tile(columns, 2), np.concatenate([rows, lowest])], 1).astype(np.int32)
    kept = np.zeros_like(seen)
    cv2.fillConvexPoly(kept, cv2.convexHull(points), 1)
    # The screen's edge is blurred; the picture's own edge, beyond which all counts as kept, not.
    kept = cv2.erode(
        kept, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=(1,)
    )
    if not kept.any():
        return np.ones_like(sure)
    full = cv2.resize(kept, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(full, dtype=np.float32)


def _without_stands(alpha: Floats) -> Floats:
    """Without what touches the left, right or upper edge and stays within the margin; H x W."""
    height, width = alpha.shape
    margin, shallow = (max(1, round(MARGIN * side)) for side in (width, height))
    _, labels, statistics, _ = cv2.connectedComponentsWithStats((alpha > 0.1).astype(np.uint8))
    left, top = statistics[:, cv2.CC_STAT_LEFT], statistics[:, cv2.CC_STAT_TOP]
    right = left + statistics[:, cv2.CC_STAT_WIDTH]
    bottom = top + statistics[:, cv2.CC_STAT_HEIGHT]
    garbage = (
        ((left == 0) & (right <= margin))
        | ((right == width) & (left >= width - margin))
        | ((top == 0) & (bottom <= shallow))
    )
    garbage[0] = False
    inside = garbage[labels]
    # Its soft rim goes with it.
    rim = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    others = (alpha > 0.1) & ~inside
    return np.where(inside | (rim & ~others), np.float32(0), alpha)

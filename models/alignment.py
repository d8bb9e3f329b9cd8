"""Laying a plate over a source that was taken by hand from almost the same place.

For pictures and files; a stream's camera stands still. Features are matched and one homography is
kept only when enough of them agree on a small motion: the published code crashes where none is
found, and a wrong one is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

FEATURES: Final = 4000
BEST_SHARE: Final = 0.5
"""Of the mutual matches, by distance: the worse half is mostly the person and noise."""

REACH: Final = 3.0
"""Pixels at which a match still agrees (RANSAC), at 1280 of width."""

FEWEST_INLIERS: Final = 24
"""A homography has 8 unknowns, 4 matches; six times that leave no doubt."""

LEAST_AGREEMENT: Final = 0.3
"""Share of the matches that must agree."""

FARTHEST: Final = 0.1
"""Motion of a corner, over the diagonal, beyond which it is another view and not a shaky hand."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The plate where the source shows it, or why not."""

    plate: NDArray[np.uint8]
    """(H, W, 3): moved, or as it was when `refusal` is not empty."""
    refusal: str
    """Why it was not moved; empty when it was."""
    inliers: int
    moved: float
    """Largest motion of a corner, in pixels."""


def align_plate(source: NDArray[np.uint8], plate: NDArray[np.uint8]) -> Alignment:
    """Warp `plate` onto `source`, both (H, W, 3) of the same size.

    What the plate does not cover is filled from its own border: filled from the source, it would
    pass for scene whatever is there.
    """
    height, width = source.shape[:2]
    orb = cv2.ORB_create(FEATURES)  # type: ignore[attr-defined,unused-ignore]  # not in all stubs
    points, marks = orb.detectAndCompute(cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY), None)
    targets, target_marks = orb.detectAndCompute(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), None)
    if marks is None or target_marks is None:
        return Alignment(plate, "one of the pictures has no detail to match", 0, 0.0)
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(marks, target_marks)
    matches = sorted(matches, key=lambda match: match.distance)
    matches = matches[: max(int(len(matches) * BEST_SHARE), FEWEST_INLIERS)]
    if len(matches) < FEWEST_INLIERS:
        return Alignment(plate, f"only {len(matches)} details match", 0, 0.0)
    start = np.asarray([points[match.queryIdx].pt for match in matches], np.float32)
    end = np.asarray([targets[match.trainIdx].pt for match in matches], np.float32)
    matrix, agree = cv2.findHomography(start, end, cv2.RANSAC, max(REACH * width / 1280, 1.0))
    inliers = 0 if agree is None else int(agree.sum())
    if matrix is None or inliers < max(FEWEST_INLIERS, LEAST_AGREEMENT * len(matches)):
        refusal = f"only {inliers} of {len(matches)} matching details agree on a motion"
        return Alignment(plate, refusal, inliers, 0.0)
    corners = np.asarray([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    moved = float(np.linalg.norm(cv2.perspectiveTransform(corners, matrix) - corners, axis=2).max())
    if not moved <= FARTHEST * float(np.hypot(width, height)):
        return Alignment(plate, f"the views differ too much ({moved:.0f} px)", inliers, moved)
    warped = cv2.warpPerspective(
        plate, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return Alignment(np.asarray(warped, dtype=np.uint8), "", inliers, moved)

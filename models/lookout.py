"""Where in a frame somebody may be: only there the network has to look.

Who sits before a camera covers a third to half of the picture's width; the rest is the plate, and
the base network's time goes with the area it is given. What differs from the fitted plate and what
the frame before took for a person say on thumbnails which strip across the longer side is enough.

Measured on 40 held-back people in rooms, 1280x720, int8 (`models.evaluation.regions`, 2026-11-26):
whoever is there differs from the plate up to 2 of 128 columns before the outline's end. The network
then sees 60 % of a frame, and alpha's mean error is 0.5 % less (with the paper's plates; webcam
0.8 %), in no scene more than 0.0002 higher. A plate that has drifted differs nearly everywhere, and
96 % are seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.region import Region, Size

Floats = NDArray[np.float32]

SHARES: Final = (1 / 2, 5 / 8, 3 / 4, 7 / 8)
"""Of the longer side that a strip may have; each is a size for which a network is compiled."""

DIFFERENT: Final = 10 / 255
"""Difference from the fitted plate, 0..1, that may be somebody: codec, noise and gamma stay below,
shadows and a plate that has drifted do not and only cost time."""

FEWEST: Final = 2
"""Cells of a column that have to differ."""

PERSON: Final = 0.05
"""Alpha of the frame before, in any cell, that is somebody."""

MARGIN: Final = 5 / 128
"""Of the longer side, around what was found: 2 / 128 were missed at most."""

WHOLE_EVERY: Final = 30
"""One frame of so many is looked at whole: who cannot be told from the room by a thumbnail is found
by the network then, and kept by alpha from there on."""

PATIENCE: Final = 30
"""Frames for which a smaller strip must have been enough before it is taken."""


class Lookout:
    """Of one stream. Frames of one size follow each other; another size begins anew."""

    def __init__(self) -> None:
        self._size: Size | None = None
        self._strip: tuple[int, int] | None = None  # start and length in pixels
        self._frames = 0
        self._roomy = 0  # frames for which a smaller one would have been enough

    def region(
        self,
        size: Size,
        apart: Floats,
        alpha: Floats | None,
        can: Callable[[Region], bool],
    ) -> Region:
        """The part of the next frame that has to be looked at.

        Args:
            size: of the frame, even.
            apart: (rows, columns), how far its thumbnail is from the fitted plate's, 0..1.
            alpha: (rows, columns), of the frame before, 0..1; `None` where it is not known.
            can: whether a region can be matted now; the whole frame always can.
        """
        if size != self._size:
            self._size, self._strip, self._roomy = size, None, 0
        self._frames += 1
        whole = Region.whole(size)
        if alpha is None or self._frames % WHOLE_EVERY == 0:
            return whole
        upright = size[0] > size[1]
        if upright:
            apart, alpha = apart.T, alpha.T
        side = max(size)
        low, high = (end * side / apart.shape[1] for end in extent(apart, alpha))
        margin = MARGIN * side
        self._strip = self._next(max(low - margin, 0), min(high + margin, side), side)
        start, length = self._strip
        if length >= side:
            return whole
        strip = Region(start, 0, length, size[1]) if upright else Region(0, start, size[0], length)
        return strip if can(strip) else whole

    def _next(self, low: float, high: float, side: int) -> tuple[int, int]:
        """Start and length of a strip that holds these pixels: the last one if it may stay."""
        fitting = next((each for each in _lengths(side) if high - low <= each), side)
        if self._strip is not None:
            start, length = self._strip
            self._roomy = self._roomy + 1 if fitting < length else 0
            if start <= low and high <= start + length and self._roomy < PATIENCE:
                return self._strip
            if fitting < length and self._roomy < PATIENCE:
                fitting = length  # it has to move, which is no reason to shrink
        self._roomy = 0
        start = int((low + high - fitting) / 2) // 4 * 4
        start = min(max(start, 0), side - fitting)
        # Four pixels are no reason to take a larger one: the margin is ten times that.
        return start, fitting


def _lengths(side: int) -> list[int]:
    """Of strips, in pixels: multiples of 4, the refiner's patch."""
    return [round(share * side / 4) * 4 for share in SHARES]


def extent(apart: Floats, alpha: Floats) -> tuple[float, float]:
    """First column of the thumbnail with somebody in it, and the one after the last; the middle
    where nobody is."""
    columns = np.flatnonzero(
        (np.count_nonzero(apart > DIFFERENT, axis=0) >= FEWEST) | (alpha > PERSON).any(0)
    )
    if not len(columns):
        return apart.shape[1] / 2, apart.shape[1] / 2
    return float(columns[0]), float(columns[-1] + 1)

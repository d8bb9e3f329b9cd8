"""Where in a frame somebody may be: only there the network has to look.

Who sits before a camera covers a third to half of the picture's width; the rest is the plate, and
the base network's time goes with the area it is given. What differs from the fitted plate and what
the frame before took for a person say on thumbnails which strip across the longer side is enough.

Measured by `python -m models.evaluation.regions --data DATA` on 40 stills of held-back people in
rooms, with ideal fits (1280x720, int8, AMD EPYC, 2026-11-26): whoever is there differs from the
plate up to 2 of 128 columns before the outline's end. The network then sees 60 % of a frame, and
alpha's mean error is 0.5 % less (with the paper's plates; webcam 0.8 %), in no still more than
0.0002 higher. A plate that has drifted differs nearly everywhere, and 96 % are seen.
"""

from __future__ import annotations

import time
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

LONGEST_UNSEEN: Final = 1.0
"""Seconds after which a frame is looked at whole: who cannot be told from the room by a thumbnail
is found by the network then, and kept by alpha from there on."""

PATIENCE: Final = 1.0
"""Seconds for which a smaller strip must have been enough before it is taken."""


class Lookout:
    """Of one stream, whose frames may change their size but not what they show."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._strip: tuple[float, float] | None = None  # start and length, shares of the side
        self._whole = self._tight = clock()  # when it last saw all, and when it last needed all
        self.usual = False
        """Whether frames will go on to be seen as the last one was: what it cost is a measure."""

    def region(
        self,
        size: Size,
        apart: Floats,
        alpha: Floats | None,
        can: Callable[[Region], bool | None],
    ) -> Region:
        """The part of the next frame that has to be looked at.

        Args:
            size: of the frame, even.
            apart: (rows, columns), how far its thumbnail is from the fitted plate's, 0..1.
            alpha: (rows, columns), of the frame before, 0..1; `None` where it is not known.
            can: whether a region can be matted now; `None` if it cannot be had at all. The whole
                frame always can.
        """
        whole, now = Region.whole(size), self._clock()
        self.usual = False
        if alpha is None or now - self._whole >= LONGEST_UNSEEN:
            self._whole = now
            return whole
        if size[0] > size[1]:
            apart, alpha = apart.T, alpha.T
        low, high = (end / apart.shape[1] for end in extent(apart, alpha))
        self._strip = self._next(max(low - MARGIN, 0.0), min(high + MARGIN, 1.0), now)
        strip = _part(size, *self._strip)
        able = strip == whole or can(strip)
        self.usual = able is not False
        return strip if able else whole

    def shape(self, size: Size) -> Size:
        """Of the region that frames of another size would have now."""
        return size if self._strip is None else _part(size, *self._strip).size

    def _next(self, low: float, high: float, now: float) -> tuple[float, float]:
        """Start and length of a strip that holds this extent: the last one if it may stay."""
        fitting = next((each for each in SHARES if high - low <= each), 1.0)
        if self._strip is not None:
            start, length = self._strip
            if fitting >= length:
                self._tight = now
            roomy = now - self._tight >= PATIENCE
            if start <= low and high <= start + length and not roomy:
                return self._strip
            if not roomy:  # it has to move or to grow, which is no reason to shrink
                fitting = max(fitting, length)
        self._tight = now
        return min(max((low + high - fitting) / 2, 0.0), 1.0 - fitting), fitting


def _part(size: Size, start: float, length: float) -> Region:
    """The strip in pixels: a multiple of 4 long, the refiner's patch, and at most 4 pixels further
    up or to the left, a seventh of the margin at 640."""
    side = max(size)
    long = side if length == 1 else round(length * side / 4) * 4
    first = min(int(start * side) // 4 * 4, side - long)
    return Region(first, 0, long, size[1]) if size[0] > size[1] else Region(0, first, size[0], long)


def extent(apart: Floats, alpha: Floats) -> tuple[float, float]:
    """First column of the thumbnail with somebody in it, and the one after the last; the middle
    where nobody is."""
    columns = np.flatnonzero(
        (np.count_nonzero(apart > DIFFERENT, axis=0) >= FEWEST) | (alpha > PERSON).any(0)
    )
    if not len(columns):
        return apart.shape[1] / 2, apart.shape[1] / 2
    return float(columns[0]), float(columns[-1] + 1)

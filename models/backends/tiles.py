"""Which parts of a frame the refiner looks at on a processor, cut out and put back on the host.

The paper refines 4x4 patches, each with its halo: 16 times the work for conv1 that its pixels need.
Patches lie side by side along a person's outline, so tiles of 16x16 pixels share most of the halo:
a third of the multiplications a pixel (9,900 against 29,600, counted from the shapes). A tile gets
what the refiner gives everywhere, so the answer is the network's with `refine_mode="full"` inside,
and the plain coarse one outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.network.config import MattingConfig
from models.network.patches import interpolation

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

SIDE: Final = 16
"""Pixels along a tile; four patches."""

WORTH: Final = 0.05
"""Predicted error, 0..1, up to which a tile keeps the coarse answer where oversampling is prevented
(0 as published): see `models.evaluation.worth`, which measures what that saves and costs."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What the refiner needs of some tiles, N of them."""

    source: Bytes
    """(N, window, window, 3) with the halo; 0 outside the frame."""
    plate: Bytes
    """The same."""
    coarse: Floats
    """(N, block rows, block columns, 37) of the base network's raw output."""
    down: Floats
    """(N, half window, block rows): the bilinear resize along columns, 0 outside the frame."""
    across: Floats
    """(N, half window, block columns): the same along rows."""


class TileGrid:
    """The tiles of frames of one size, for base outputs of one size."""

    def __init__(self, frame: tuple[int, int], base: tuple[int, int], kernel: int) -> None:
        """Rows and columns of frames (multiples of 4) and of the base network's output."""
        self.frame, self.base = frame, base
        self.rows, self.columns = (-(-side // SIDE) for side in frame)
        # Halos of the two stages, at half and at full size (paper section 3.3).
        margin = 3 if kernel == 3 else 0
        self.margin = 2 * margin
        self.window = SIDE + 2 * self.margin
        (self._tops, self._down), (self._lefts, self._across) = (
            (axis.starts.numpy(), axis.matrices.numpy())
            for axis in (
                interpolation(coarse, fine // 2, SIDE // 2, margin, like=torch.empty(0))
                for coarse, fine in zip(base, frame, strict=True)
            )
        )
        self.block = (self._down.shape[2], self._across.shape[2])
        self.worth = WORTH

    def choose(self, error: Floats, config: MattingConfig) -> Indices:
        """Numbers of the tiles worth refining, for `cut` and `paste`.

        Args:
            error: predicted error (rows, columns) at base size, 0..1.
            config: its mode, threshold and `refine_pixels`, which bounds the tiles' area.
        """
        if config.refine_mode == "full":
            return np.arange(self.rows * self.columns)
        worst = self._worst(error)
        if config.refine_mode == "thresholding":
            limit = config.refine_threshold
        else:
            limit = self.worth if config.prevent_oversampling else -1.0
        found = np.flatnonzero(worst > limit)
        most = min(-(-config.refine_pixels // SIDE**2), self.rows * self.columns)
        if config.refine_mode == "thresholding" or len(found) <= most:
            return found
        order = np.argpartition(worst[found], len(found) - most) if most else np.arange(0)
        return found[np.sort(order[len(found) - most :])] if most else found[:0]

    def padded(self, picture: Bytes) -> Bytes:
        """A frame (H, W, 3) with zeros around it, as `cut` takes it."""
        below = self.rows * SIDE - self.frame[0] + self.margin
        right = self.columns * SIDE - self.frame[1] + self.margin
        around = cv2.copyMakeBorder(
            picture, self.margin, below, self.margin, right, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        return np.asarray(around, dtype=np.uint8)

    def cut(self, tiles: Indices, source: Bytes, plate: Bytes, output: Floats) -> Cut:
        """What the refiner needs of `tiles`.

        Args:
            tiles: numbers, by rows.
            source: of `padded`.
            plate: of `padded`.
            output: (rows, columns, 37) of the base network.
        """
        rows, columns = np.divmod(tiles, self.columns)
        window = (self.window, self.window)
        at = (rows * SIDE, columns * SIDE)
        return Cut(
            _windows(source, window)[at],
            _windows(plate, window)[at],
            _windows(output, self.block)[self._tops[rows], self._lefts[columns]],
            self._down[rows],
            self._across[columns],
        )

    def paste(self, picture: NDArray[Any], tiles: Indices, values: object) -> None:
        """Overwrite `tiles` of a picture of `whole` size with `values` (N, 16, 16, ...)."""
        shape = (self.rows, SIDE, self.columns, SIDE, *picture.shape[2:])
        rows, columns = np.divmod(tiles, self.columns)
        picture.reshape(shape).swapaxes(1, 2)[rows, columns] = values

    @property
    def whole(self) -> tuple[int, int]:
        """Rows and columns that all tiles cover: the frame's or a little more."""
        return self.rows * SIDE, self.columns * SIDE

    def _worst(self, error: Floats) -> Floats:
        """(tiles,): the greatest error of a tile's patches, each as the published code has it."""
        patches = (self.frame[0] // 4, self.frame[1] // 4)
        at_patches = np.zeros((self.rows * 4, self.columns * 4), np.float32)
        at_patches[: patches[0], : patches[1]] = cv2.resize(
            error, patches[::-1], interpolation=cv2.INTER_LINEAR
        )
        # Four strided passes: NumPy is slow along axes of four.
        across = np.maximum.reduce([at_patches[:, start::4] for start in range(4)])
        worst: Floats = np.maximum.reduce([across[start::4] for start in range(4)]).ravel()
        return worst


def in_fours(picture: Bytes) -> Bytes:
    """Sides of multiples of 4, the refiner's patch, by repeating the border."""
    right, below = -picture.shape[1] % 4, -picture.shape[0] % 4
    if not right and not below:
        return np.ascontiguousarray(picture)
    padded = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded, dtype=np.uint8)


def _windows(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A view (rows, columns, *size, channels) of all windows by their upper left corners."""
    rows, columns, channels = picture.shape
    down, across, step = picture.strides
    return np.lib.stride_tricks.as_strided(
        picture,
        (rows - size[0] + 1, columns - size[1] + 1, *size, channels),
        (down, across, down, across, step),
        writeable=False,
    )

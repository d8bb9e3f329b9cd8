"""The card that the synthetic person holds up: a number that survives the way to the viewer.

A composite keeps nothing of the scene, so a number burned into the picture's corner would be gone:
it has to be on the person. The card is not in the plate and differs from the wall behind it, so a
network takes it for what the person is or holds.

Every bit is a pair of cells, one white and one black, and their order is the bit: reading compares
the two and needs no threshold, so exposure, an alpha below one and a quantised DCT only shrink the
difference. 16 bits of number and 8 of checksum; whoever counts further unwraps, see `unwrap`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

ROWS: Final = 6
COLUMNS: Final = 8
"""Cells; four bits a row."""

LEFT, TOP, RIGHT, BOTTOM = 0.40, 0.50, 0.60, 0.77
"""Edges of the cells in widths and heights of the picture: 16 x 16 pixels a cell at 640x360."""
MARGIN: Final = 0.5
"""Of white paper around the cells, in cells: an uncertain edge of the matte spoils no bit."""

INK: Final = 34
PAPER: Final = 226
"""Luma. The wall behind is half way between, see `gateway.bench.scene`."""

MODULUS: Final = 1 << 16
"""Numbers are read modulo this: 18 minutes at 60 frames per second."""
POLYNOMIAL: Final = 0x07
SEED: Final = 0xFF
"""CRC-8; not seeded with zero, so that number 0 is no card of one colour."""
FAINTEST: Final = 12.0
"""Difference of luma within a pair below which it is not read: noise of the codec is about 3 over
the points of a cell."""

Luma = NDArray[np.uint8]


def draw(luma: Luma, number: int) -> None:
    """Draw the card with `number` (modulo `MODULUS`) into a luma plane (H, W)."""
    height, width = luma.shape
    (x0, x1, y0, y1), _ = _edges(width, height)
    luma[y0:y1, x0:x1] = PAPER
    top, left, cells = _cell_map(width, height)
    below, beyond = top + cells.shape[0], left + cells.shape[1]
    luma[top:below, left:beyond] = _levels(number)[cells]


def read(luma: Luma) -> int | None:
    """The number on a card in a luma plane (H, W), `None` where none can be read for sure."""
    height, width = luma.shape
    rows, columns = _points(width, height)
    means = luma[rows, columns].mean(axis=1, dtype=np.float32).reshape(-1, 2)
    difference = means[:, 0] - means[:, 1]
    if np.abs(difference).min() < FAINTEST:
        return None
    word = int.from_bytes(np.packbits(difference > 0).tobytes(), "big")
    number, check = word >> 8, word & 0xFF
    return number if checksum(number) == check else None


def unwrap(number: int, newest: int) -> int:
    """The full count behind a number that was read, when `newest` is the last that was drawn."""
    return newest - (newest - number) % MODULUS


def checksum(number: int) -> int:
    """CRC-8 of a number's two bytes."""
    register = SEED
    for byte in (number >> 8 & 0xFF, number & 0xFF):
        register ^= byte
        for _ in range(8):
            register = (register << 1 ^ (POLYNOMIAL if register & 0x80 else 0)) & 0xFF
    return register


def paper(width: int, height: int) -> tuple[int, int, int, int]:
    """Left, right, top, bottom of the sheet with its margin, in pixels of a picture."""
    return _edges(width, height)[0]


def _levels(number: int) -> Luma:
    """Luma of each cell, row by row."""
    number %= MODULUS
    word = (number << 8 | checksum(number)).to_bytes(3, "big")
    first = np.unpackbits(np.frombuffer(word, np.uint8)).astype(bool)
    pairs = np.stack([first, ~first], axis=1).reshape(-1)
    return np.where(pairs, PAPER, INK).astype(np.uint8)


@lru_cache(maxsize=8)
def _edges(width: int, height: int) -> tuple[tuple[int, int, int, int], tuple[float, float]]:
    """The sheet's edges, and the size of a cell, in pixels."""
    cell = ((RIGHT - LEFT) * width / COLUMNS, (BOTTOM - TOP) * height / ROWS)
    across, down = MARGIN * cell[0], MARGIN * cell[1]
    x0, x1 = round(LEFT * width - across), round(RIGHT * width + across)
    y0, y1 = round(TOP * height - down), round(BOTTOM * height + down)
    return (x0, x1, y0, y1), cell


@lru_cache(maxsize=8)
def _cell_map(width: int, height: int) -> tuple[int, int, NDArray[np.intp]]:
    """Top, left, and the number of the cell under each pixel."""
    across, down = round(LEFT * width), round(TOP * height)
    xs = np.arange(across, round(RIGHT * width)) + 0.5
    ys = np.arange(down, round(BOTTOM * height)) + 0.5
    _, cell = _edges(width, height)
    columns = np.clip((xs - LEFT * width) // cell[0], 0, COLUMNS - 1).astype(np.intp)
    rows = np.clip((ys - TOP * height) // cell[1], 0, ROWS - 1).astype(np.intp)
    return down, across, rows[:, None] * COLUMNS + columns[None, :]


@lru_cache(maxsize=8)
def _points(width: int, height: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of 36 points in the middle of each cell, (cells, 36)."""
    _, (across, down) = _edges(width, height)
    within = np.linspace(0.25, 0.75, 6)
    ys = TOP * height + (np.arange(ROWS)[:, None] + within) * down
    xs = LEFT * width + (np.arange(COLUMNS)[:, None] + within) * across
    shape = (ROWS, COLUMNS, len(within), len(within))
    rows = np.broadcast_to(ys[:, None, :, None], shape).reshape(ROWS * COLUMNS, -1)
    columns = np.broadcast_to(xs[None, :, None, :], shape).reshape(ROWS * COLUMNS, -1)
    return rows.astype(np.intp), columns.astype(np.intp)

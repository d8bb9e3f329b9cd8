"""Large pictures piece by piece, so that memory follows from the piece and not from the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Area = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of a picture; areas are rows and columns."""

    around: Area
    """In the picture: what is looked at."""
    core: Area
    """In the picture: what is kept of the result. Cores cover the picture once."""
    inner: Area
    """The core within `around`."""


def tiles(height: int, width: int, side: int, overlap: int) -> Iterator[Tile]:
    """Tiles whose core is `side` pixels, less at the end, and that see `overlap` pixels more."""
    for top in range(0, height, side):
        for left in range(0, width, side):
            rows, looked_rows, inner_rows = _span(top, side, overlap, height)
            columns, looked_columns, inner_columns = _span(left, side, overlap, width)
            yield Tile((looked_rows, looked_columns), (rows, columns), (inner_rows, inner_columns))


def _span(start: int, side: int, overlap: int, length: int) -> tuple[slice, slice, slice]:
    """Core, around, and core within around, along one axis."""
    end = min(start + side, length)
    first, last = max(start - overlap, 0), min(end + overlap, length)
    return slice(start, end), slice(first, last), slice(start - first, end - first)

"""The refiner on a frame's tiles, some of them on every core at once."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.backends.tiles import Bytes, Cut, Floats, Indices, TileGrid

TILES: Final = 24
"""Refined by one call. A frame has tens to hundreds; the last call's rest is wasted."""

MOST_AT_ONCE: Final = 4
"""Calls at work together: a frame has few more, and more cores share each of them."""


def shapes(grid: TileGrid) -> list[list[int]]:
    """Of the graph's inputs, see `models.backends.tiles.Cut`."""
    window = [TILES, 3, grid.window, grid.window]
    down, across = ([TILES, grid.window // 2, side] for side in grid.block)
    return [window, window, [TILES, *grid.block, 37], down, across]


class TileRefiner:
    """Requests of one compiled graph; a core each where there are few.

    Operations on so few narrow channels are too short to be shared: the threads of one call wait
    for each other more than those of two calls do.
    """

    def __init__(self, compiled: Any, at_once: int) -> None:
        """`compiled` takes `shapes`; it was given as many streams."""
        self._requests = [compiled.create_infer_request() for _ in range(at_once)]

    def refine(
        self,
        grid: TileGrid,
        tiles: Indices,
        pictures: tuple[Bytes, Bytes],
        output: Floats,
        alpha: NDArray[Any],
        foreground: Bytes,
    ) -> None:
        """Overwrite `tiles` of alpha and foreground, of the size of `TileGrid.whole`.

        Args:
            grid: of the frame.
            tiles: numbers, by rows.
            pictures: source and plate, of `TileGrid.padded`.
            output: (rows, columns, 37) of the base network.
            alpha: 0..1, changed in place.
            foreground: changed in place.
        """
        free, busy = deque(self._requests), deque[tuple[Any, Indices]]()

        def finish() -> None:
            request, some = busy.popleft()
            request.wait()
            for picture, index in ((alpha, 0), (foreground, 1)):
                values = request.get_output_tensor(index).data[: len(some)]
                grid.paste(picture, some, values)
            free.append(request)

        try:
            for first in range(0, len(tiles), TILES):
                some = tiles[first : first + TILES]
                if not free:
                    finish()
                inputs = _filled(grid.cut(some, *pictures, output))
                request = free.popleft()
                request.start_async(inputs, share_inputs=True)
                busy.append((request, some))
            while busy:
                finish()
        finally:
            # One has failed, which is said already: the next frame must find the others idle.
            for request, _ in busy:
                with contextlib.suppress(RuntimeError):
                    request.wait()


def _filled(cut: Cut) -> list[NDArray[Any]]:
    """The graph's inputs, made up to `TILES`."""
    inputs: list[NDArray[Any]] = [cut.source, cut.plate, cut.coarse, cut.down, cut.across]
    missing = TILES - len(cut.source)
    if not missing:
        return inputs
    return [
        np.concatenate([part, np.zeros((missing, *part.shape[1:]), part.dtype)]) for part in inputs
    ]

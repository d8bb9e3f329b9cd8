"""Tiles of a frame on several requests at once: none is lost, none is left at work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.backends.tile_refiner import TILES, TileRefiner, shapes
from models.backends.tiles import SIDE, TileGrid

FRAME, BASE = (160, 240), (80, 120)


class Tensor:
    def __init__(self, data: np.ndarray) -> None:
        self.data = data


class Request:
    """Answers with the first pixel of each tile, when it is waited for."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._inputs: list[np.ndarray] | None = None

    @property
    def busy(self) -> bool:
        return self._inputs is not None

    def start_async(self, inputs: list[np.ndarray], share_inputs: bool) -> None:
        assert not self.busy
        assert [list(each.shape) for each in inputs] == self._compiled.expected
        self._inputs = inputs
        at_work = sum(each.busy for each in self._compiled.requests)
        self._compiled.most = max(self._compiled.most, at_work)

    def wait(self) -> None:
        inputs, self._inputs = self._inputs, None
        if inputs is None:
            return
        if self._compiled.failing:
            raise RuntimeError("no memory")
        margin = (inputs[0].shape[1] - SIDE) // 2
        first = inputs[0][:, margin, margin, :1].reshape(-1, 1, 1, 1)
        self._answer = np.broadcast_to(first, (TILES, SIDE, SIDE, 1))

    def get_output_tensor(self, index: int) -> Tensor:
        return Tensor(self._answer if index == 0 else np.repeat(self._answer, 3, 3))


class Compiled:
    def __init__(self, grid: TileGrid) -> None:
        self.requests: list[Request] = []
        # Pictures arrive channels last.
        window, _, block, down, across = shapes(grid)
        pictures = [TILES, window[2], window[3], 3]
        self.expected = [pictures, pictures, block, down, across]
        self.failing, self.most = False, 0

    def create_infer_request(self) -> Request:
        self.requests.append(Request(self))
        return self.requests[-1]


def refine(refiner: TileRefiner, grid: TileGrid, tiles: np.ndarray) -> tuple[Any, Any]:
    """Every tile of the source has its own number for a colour."""
    numbers = np.arange(grid.rows * grid.columns, dtype=np.uint8).reshape(grid.rows, grid.columns)
    picture = np.repeat(np.kron(numbers, np.ones((SIDE, SIDE), np.uint8))[..., None], 3, 2)
    padded = grid.padded(picture[: FRAME[0], : FRAME[1]])
    alpha = np.full((*grid.whole, 1), 255.0, np.float32)
    foreground = np.full((*grid.whole, 3), 255, np.uint8)
    output = np.zeros((*BASE, 37), np.float32)
    refiner.refine(grid, tiles, (padded, padded), output, alpha, foreground)
    return alpha, foreground


@pytest.mark.parametrize("count", [0, 1, TILES, TILES + 1, 150])
@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_every_tile_gets_its_own_answer_and_the_rest_stays(count: int, at_once: int):
    grid = TileGrid(FRAME, BASE, 3)
    compiled = Compiled(grid)
    chosen = np.sort(np.random.default_rng(count).permutation(150)[:count])
    alpha, foreground = refine(TileRefiner(compiled, at_once), grid, chosen)
    expected = np.full(150, 255)
    expected[chosen] = chosen
    assert (alpha[::SIDE, ::SIDE, 0].ravel() == expected).all()
    assert (foreground[SIDE - 1 :: SIDE, SIDE - 1 :: SIDE, 2].ravel() == expected).all()
    assert compiled.most == min(at_once, -(-count // TILES))
    assert not any(each.busy for each in compiled.requests)


def test_a_call_that_fails_leaves_the_others_idle_for_the_next_frame():
    grid = TileGrid(FRAME, BASE, 3)
    compiled = Compiled(grid)
    refiner = TileRefiner(compiled, 4)
    compiled.failing = True
    with pytest.raises(RuntimeError, match="no memory"):
        refine(refiner, grid, np.arange(100))
    assert not any(each.busy for each in compiled.requests)
    compiled.failing = False
    alpha, _ = refine(refiner, grid, np.arange(100))
    assert (alpha[::SIDE, ::SIDE, 0].ravel()[:100] == np.arange(100)).all()

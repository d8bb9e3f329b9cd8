"""Tiles are the dense refiner's answer where the network expects errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from models.backends.openvino_backend import OpenVinoBackend
from models.backends.tiles import SIDE, WORTH, TileGrid
from models.network.base import resize
from models.network.config import MattingConfig
from models.operating_point import OperatingPoint
from tests.models.random_network import make_network

FRAME, BASE = (72, 108), (36, 54)


def grid(kernel: int = 3) -> TileGrid:
    return TileGrid(FRAME, BASE, kernel)


def test_a_tile_has_its_halo_and_zeros_outside_the_frame():
    tiles = grid()
    rng = np.random.default_rng(0)
    picture = rng.integers(1, 256, (*FRAME, 3), dtype=np.uint8)
    output = rng.random((*BASE, 37), dtype=np.float32)
    everything = np.arange(tiles.rows * tiles.columns)
    padded = tiles.padded(picture)
    cut = tiles.cut(everything, padded, padded, output)
    assert cut.source.shape == (35, 28, 28, 3)
    assert (cut.source[0, :6] == 0).all()
    assert (cut.source[0, 6:, 6:] == picture[:22, :22]).all()
    last = cut.source[-1]
    assert (last[6:14, 6:18] == picture[64:72, 96:108]).all()
    assert (last[14:] == 0).all()


def test_a_tile_sees_the_resized_base_output():
    tiles = grid()
    output = np.random.default_rng(1).random((*BASE, 37), dtype=np.float32)
    padded = tiles.padded(np.zeros((*FRAME, 3), np.uint8))
    number = 2 * tiles.columns + 3
    cut = tiles.cut(np.array([number]), padded, padded, output)
    seen = np.einsum("ab,bcd,ec->aed", cut.down[0], cut.coarse[0], cut.across[0])
    half = resize(torch.from_numpy(output).permute(2, 0, 1)[None], (FRAME[0] // 2, FRAME[1] // 2))
    padded_half = functional.pad(half, (3, 3, 3, 3))[0].permute(1, 2, 0).numpy()
    expected = padded_half[16 : 16 + 14, 24 : 24 + 14]
    assert np.abs(seen - expected).max() < 1e-5


def test_the_worst_tiles_are_chosen_and_those_without_error_never():
    error = np.zeros(BASE, np.float32)
    error[2:4, 2:4] = 0.9  # tile 0
    error[20:22, 40:42] = 0.5  # row 2, column 5
    error[34:36, 50:52] = 0.1  # row 4, column 6
    tiles = grid()
    chosen = [0, 2 * 7 + 5, 4 * 7 + 6]
    enough = MattingConfig(refine_pixels=10_000)
    assert tiles.choose(error, enough).tolist() == chosen
    assert tiles.choose(error, MattingConfig(refine_pixels=2 * SIDE**2)).tolist() == chosen[:2]
    assert tiles.choose(error, MattingConfig(refine_pixels=0)).tolist() == []
    oversampled = MattingConfig(refine_pixels=10 * SIDE**2, prevent_oversampling=False)
    assert len(tiles.choose(error, oversampled)) == 10
    over = MattingConfig(refine_mode="thresholding", refine_threshold=0.4, refine_pixels=0)
    assert tiles.choose(error, over).tolist() == chosen[:2]
    assert len(tiles.choose(error, MattingConfig(refine_mode="full"))) == 35
    assert tiles.choose(np.minimum(error, WORTH), enough).tolist() == []


def test_pasted_tiles_overwrite_nothing_else():
    tiles = grid()
    picture = np.zeros((*tiles.whole, 1), np.float32)
    tiles.paste(picture, np.array([8]), np.ones((1, SIDE, SIDE, 1), np.float32))
    assert picture[16:32, 16:32].min() == 1
    assert picture.sum() == SIDE**2


@pytest.mark.parametrize("kernel", [3, 1])
def test_what_is_refined_is_what_the_network_gives_everywhere(kernel: int):
    network = make_network(refine_kernel=kernel)
    rng = np.random.default_rng(2)
    plate = rng.integers(0, 256, (*FRAME, 3), dtype=np.uint8)
    source = plate.copy()
    source[20:, 30:70] = 190
    backend = OpenVinoBackend(network)
    # Six tiles of 35: a random network expects errors everywhere.
    point = OperatingPoint(base_scale=0.5, refine_pixels=6 * SIDE**2)
    coarse = backend.base(source, plate, point)
    alpha, _ = backend.read(backend.refine(source, plate, coarse, point))
    nothing = OperatingPoint(base_scale=0.5, refine_pixels=0)
    plain, _ = backend.read(
        backend.refine(source, plate, backend.base(source, plate, nothing), nothing)
    )
    inputs = (
        torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        for picture in (source, plate)
    )
    with torch.inference_mode():
        full = network.with_settings(base_scale=0.5, refine_mode="full")(*inputs)
    everywhere = full.alpha[0, 0].numpy()
    refined = np.abs(alpha - plain) > 0
    assert 0.4 * 6 * SIDE**2 < refined.sum() <= 6 * SIDE**2
    assert np.abs(alpha - everywhere)[refined].mean() < 0.004


def test_a_network_that_cannot_be_compiled_fails_its_frame_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
):
    backend = OpenVinoBackend(make_network())
    picture = np.zeros((64, 96, 3), np.uint8)
    point = OperatingPoint(base_scale=0.5, refine_pixels=256)

    def fail(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(backend, "_fixed", fail)
    while not backend.ready(64, 96, point):
        pass
    with pytest.raises(RuntimeError, match="no memory"):
        backend.base(picture, picture, point)
    monkeypatch.undo()
    backend.base(picture, picture, point)
    backend.close()


def test_a_plate_is_prepared_once_and_forgotten_with_its_picture():
    backend = OpenVinoBackend(make_network())
    source, plate = (np.full((64, 96, 3), level, np.uint8) for level in (90, 60))
    point = OperatingPoint(base_scale=0.5, refine_pixels=256)
    compiled = backend.base(source, plate, point)
    prepared = compiled.plate(plate)
    backend.refine(source, plate, backend.base(source, plate, point), point)
    assert compiled.plate(plate) is prepared
    del plate
    assert not compiled.plates
    backend.close()


def test_regions_of_a_frame_share_one_refiner():
    backend = OpenVinoBackend(make_network())
    point = OperatingPoint(base_scale=0.5, refine_pixels=256)
    whole, strip = (np.zeros((64, columns, 3), np.uint8) for columns in (96, 48))
    compiled = [backend.base(picture, picture, point) for picture in (whole, strip)]
    assert compiled[0].refiner is compiled[1].refiner
    assert compiled[0].base is not compiled[1].base
    backend.close()

"""Which tiles are worth refining is examined by one command."""

from pathlib import Path

import pytest

from models.backends.openvino_backend import OpenVinoBackend
from models.evaluation import worth
from models.evaluation.command import as_material
from models.evaluation.sets import StillSet
from models.operating_point import OperatingPoint
from tests.models.random_network import make_network


def test_a_higher_limit_leaves_fewer_tiles_to_refine(
    material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, rooms = as_material("cut-outs=people", "set"), as_material("rooms=rooms", "rooms")
    stills, network = StillSet(people, rooms, material, (96, 128)), make_network()
    # The errors that a random network predicts are everywhere; none is above 1.
    monkeypatch.setattr(worth, "LIMITS", (0.0, 0.5, 1.0))
    backend = OpenVinoBackend(network)
    found = worth.examine(stills, 1, network, backend, OperatingPoint(0.5, 96 * 128))
    backend.close()
    tiles = [found[f"{limit:g}"]["tiles"] for limit in worth.LIMITS]
    assert tiles == sorted(tiles, reverse=True)
    assert tiles[0] == 6 * 8
    assert tiles[-1] == 0

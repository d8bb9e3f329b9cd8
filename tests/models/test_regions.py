"""What a region loses of people is examined by one command."""

from pathlib import Path

from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.evaluation.command import as_material
from models.evaluation.recipes import RECIPES
from models.evaluation.regions import examine
from models.evaluation.sets import StillSet
from tests.models.random_network import make_network


def test_every_recipe_is_examined(material: Path) -> None:
    people, rooms = as_material("cut-outs=people", "set"), as_material("rooms=rooms", "rooms")
    stills = StillSet(people, rooms, material, (144, 256))
    found = examine(stills, 1, TorchBackend(make_network(), choose_device("cpu")))
    assert set(found) == set(RECIPES)
    for measures in found.values():
        assert 0.5 <= measures["share_seen"] <= 1
        assert 0 <= measures["mad_whole"] <= 1
        assert 0 <= measures["mad_region"] <= 1

"""What a region loses of people is examined by one command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.evaluation import regions
from models.evaluation.command import as_material
from models.evaluation.recipes import RECIPES
from models.evaluation.sets import StillSet
from models.lookout import Lookout
from models.region import Region
from tests.models.ideal import Ideal

SIZE = (144, 256)


@pytest.fixture
def stills(material: Path) -> StillSet:
    people, rooms = as_material("cut-outs=people", "set"), as_material("rooms=rooms", "rooms")
    return StillSet(people, rooms, material, SIZE)


def test_a_region_that_holds_everybody_loses_nothing(stills: StillSet) -> None:
    found = regions.examine(stills, 2, Ideal())
    assert set(found) == set(RECIPES)
    for measures in found.values():
        assert measures["mad_region"] == pytest.approx(measures["mad_whole"], abs=1e-6)


def test_a_region_that_misses_somebody_is_found_out(
    stills: StillSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(self: Lookout, size: tuple[int, int], *_: np.ndarray | object) -> Region:
        return Region(0, 0, size[0], 16)

    monkeypatch.setattr(Lookout, "region", elsewhere)
    measures = regions.examine(stills, 1, Ideal())["paper"]
    assert measures["mad_more_at_most"] > 0.01
    assert measures["share_seen"] == pytest.approx(16 / 256, abs=1e-3)

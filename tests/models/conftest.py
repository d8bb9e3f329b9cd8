"""Material that anyone can make: people and rooms as noise and shapes."""

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def material(tmp_path: Path) -> Path:
    """A folder with people/ and rooms/, both splits present."""
    return make_material(tmp_path)


@pytest.fixture(scope="module")
def shared_material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, for tests of a module that change nothing in it."""
    return make_material(tmp_path_factory.mktemp("material"))


def make_material(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    (folder / "people").mkdir()
    (folder / "rooms").mkdir()
    for index in range(30):
        person = np.zeros((80, 60, 4), np.uint8)
        person[..., :3] = rng.integers(0, 256, 3)
        cv2.ellipse(person, (30, 50), (20, 45), 0, 0, 360, (90, 120, 200, 255), -1, cv2.LINE_AA)
        cv2.imwrite(str(folder / "people" / f"{index:05}.png"), person)
    for house in range(1, 13):
        coarse = rng.integers(0, 256, (4, 6, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / "rooms" / f"{house}-bedroom.png"), cv2.resize(coarse, (96, 72)))
    return folder

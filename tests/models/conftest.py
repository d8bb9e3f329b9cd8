"""Material that anyone can make: people and rooms as noise and shapes."""

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def material(tmp_path: Path) -> Path:
    """A folder with people/ and rooms/, both splits present."""
    rng = np.random.default_rng(0)
    (tmp_path / "people").mkdir()
    (tmp_path / "rooms").mkdir()
    for index in range(30):
        person = np.zeros((80, 60, 4), np.uint8)
        person[..., :3] = rng.integers(0, 256, 3)
        cv2.ellipse(person, (30, 50), (20, 45), 0, 0, 360, (90, 120, 200, 255), -1, cv2.LINE_AA)
        cv2.imwrite(str(tmp_path / "people" / f"{index:05}.png"), person)
    for house in range(1, 13):
        coarse = rng.integers(0, 256, (4, 6, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "rooms" / f"{house}-bedroom.png"), cv2.resize(coarse, (96, 72)))
    return tmp_path

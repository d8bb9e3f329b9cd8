"""Frames for calibration: people of a folder over the empty rooms of the same folder, through a
webcam, at the sizes that the base network sees on a processor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import PictureError
from models.evaluation.recipes import MARGIN, RECIPES
from models.evaluation.sets import COMPOSING
from models.network.base import base_size, resize
from models.operating_point import LEVELS, operating_point
from models.quantisation.calibration import Frame
from models.scenes.composition import compose
from models.scenes.pictures import pictures_in

SEED: Final = 20_26

SIZE: Final = (720, 1280)
"""Rows and columns of a scene."""

SHIPPED: Final = Path(__file__).parents[2] / "tests" / "data"
"""In a checkout; an installation has none."""

Picture = NDArray[np.uint8]


def frames(folder: Path, scenes: int) -> Iterator[Frame]:
    """So many scenes, each at one of a processor's base sizes, the best one every other time.

    Args:
        folder: pictures with transparency are people, all others empty rooms.
        scenes: how many; every person is in the first ones once.

    Raises:
        PictureError: there are no people or no rooms.
    """
    people, rooms = _read(folder)
    scales = [operating_point(*SIZE, accelerator=False, level=each).base_scale for each in LEVELS]
    smaller = sorted(set(scales), reverse=True)
    wide = (SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN)
    recipe = RECIPES["webrtc"]
    for number in range(scenes):
        rng = np.random.default_rng((SEED, number))
        room = rooms[number // len(people) % len(rooms)]
        scene = compose(people, [room], wide, rng, COMPOSING, first=number % len(people))
        picture = np.ascontiguousarray(scene.picture[MARGIN:-MARGIN, MARGIN:-MARGIN])
        plate = _tensor(recipe.plate(scene.empty, rng))
        source = _tensor(recipe.source(picture, rng))
        scale = smaller[number // 2 % len(smaller)] if number % 2 else smaller[0]
        size = base_size(*SIZE, scale)
        yield resize(source, size), resize(plate, size)


def _read(folder: Path) -> tuple[list[Picture], list[Picture]]:
    people, rooms = [], []
    for file in pictures_in(folder, deep=False) if folder.is_dir() else ():
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3:
            raise PictureError(f"{file.name} cannot be read as a picture in colour")
        if picture.shape[2] == 4:
            people.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA), np.uint8))
        else:
            rooms.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8))
    if not people or not rooms:
        missing = "people (pictures with transparency)" if not people else "empty rooms"
        raise PictureError(
            f"{folder} has no {missing}: name a folder that has, such as tests/data of a checkout"
        )
    return people, rooms


def _tensor(picture: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1)[None].copy())

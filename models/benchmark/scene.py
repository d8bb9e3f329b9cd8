"""Frames for measuring: a person-sized shape that moves before a room, the same in every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models import colour
from models.report import I420

FRAMES: Final = 8
"""Different ones, shown in turn: more than fit into a processor's cache at HD."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A short clip with its plate and a backdrop."""

    sources: list[I420]
    plate: NDArray[np.uint8]
    """(H, W, 3), RGB."""
    backdrop: NDArray[np.uint8]
    """(H, W, 3), RGB."""


def make_scene(height: int, width: int) -> Scene:
    """A textured room; in each frame an ellipse with a soft edge, 3 % of the width further on, and
    the sensor's noise."""
    rng = np.random.default_rng(0)
    plate = _texture(rng, height, width)
    backdrop = _texture(rng, height, width)
    sources = []
    for number in range(FRAMES):
        mask = np.zeros((height, width), np.float32)
        centre = (int(width * (0.4 + 0.03 * number)), int(height * 0.65))
        axes = (width // 6, height // 2)
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(height / 360, 0.5)), np.float32)
        person = np.full_like(plate, (196, 150, 120))
        picture = cv2.blendLinear(person, plate, mask, 1 - mask)
        noise = rng.integers(-2, 3, (height, width, 1))
        sources.append(colour.to_i420(np.clip(picture + noise, 0, 255).astype(np.uint8)))
    return Scene(sources, plate, backdrop)


def _texture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    coarse = rng.integers(50, 200, (9, 16, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(picture, dtype=np.uint8)

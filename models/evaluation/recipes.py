"""What lies between plate and source when a matte is examined.

A scene is composed once, with a margin around the frame; a recipe then says how its plate and its
source are seen. Pictures are float32 H x W x 3, RGB, 0..1; everything is drawn from the generator
that is given, so that a scene's number decides everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scenes import camera
from models.scenes.camera import Generator, Image

MARGIN: Final = 12
"""Pixels around the frame that a shifted plate looks into."""

CLIP_GRAIN: Final = 0.01
"""Deviation of the noise that is new in every frame of a clip."""

EXPOSURE: Final = -0.15
SHIFT: Final = 3.0

See = Callable[[Image, Generator], Image]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How plate and source of one scene are seen."""

    name: str
    title: str
    text: str
    """One sentence for the report."""
    plate: See
    """From the empty scene with its margin to the plate."""
    source: See
    """From the composed picture, without margin, to the source."""
    frame: See
    """The same for a frame of a clip."""


def inner(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """A scene without its margin."""
    return np.ascontiguousarray(array[MARGIN:-MARGIN, MARGIN:-MARGIN])


def paper_plate(
    empty: Image, rng: Generator, *, exposure: float = 0.0, shift: float = 0.0
) -> Image:
    """A plate by the paper's test recipe (appendix D.2), and further off if asked for.

    Shift of up to 0.3 px each way, gamma 0.85..1.15, Gaussian noise of mean +-0.02 and variance
    0.08..0.15. The paper gives no unit; on a scale of 0..1 that would be a deviation of a third of
    it, so the deviation is read in per cent.

    Args:
        empty: with its margin.
        rng: draws; the same numbers whatever is asked for besides.
        exposure: share by which the plate is brighter.
        shift: further displacement in pixels, in a direction that is drawn; below `MARGIN`.
    """
    across, down = rng.uniform(-0.3, 0.3, 2)
    angle = rng.uniform(0, 2 * np.pi)
    gamma = np.float32(rng.uniform(0.85, 1.15))
    mean = np.float32(rng.uniform(-0.02, 0.02))
    deviation = np.float32(np.sqrt(rng.uniform(0.08, 0.15)) / 100)
    seen = displaced(empty, across + shift * np.cos(angle), down + shift * np.sin(angle))
    bent = np.power(np.clip(seen, 0, 1), gamma) * np.float32(1 + exposure)
    grain = rng.standard_normal(seen.shape, dtype=np.float32)
    return digital(bent + mean + deviation * grain)


def displaced(empty: Image, across: float, down: float) -> Image:
    """What a camera that stands a little elsewhere sees, without the margin."""
    matrix = np.array([[1, 0, across], [0, 1, down]], dtype=np.float64)
    size = (empty.shape[1], empty.shape[0])
    return inner(np.asarray(cv2.warpAffine(empty, matrix, size), dtype=np.float32))


def grained(image: Image, rng: Generator, deviation: float) -> Image:
    """With Gaussian noise, as a picture of 8 bits."""
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    return digital(image + np.float32(deviation) * grain)


def digital(image: NDArray[np.float32]) -> Image:
    """As a picture of 8 bits holds it."""
    return camera.from_bytes(camera.to_bytes(image))


def _clean(picture: Image, rng: Generator) -> Image:
    return digital(picture)


def _noisy(picture: Image, rng: Generator) -> Image:
    return grained(picture, rng, CLIP_GRAIN)


def _drifted_plate(empty: Image, rng: Generator) -> Image:
    return paper_plate(empty, rng, exposure=EXPOSURE, shift=SHIFT)


def _webrtc_plate(empty: Image, rng: Generator) -> Image:
    across, down = rng.uniform(-0.3, 0.3, 2)
    gamma = np.float32(rng.uniform(0.85, 1.15))
    seen = displaced(empty, across, down)
    return _webrtc(np.power(np.clip(seen, 0, 1), gamma), rng)


def _webrtc(image: Image, rng: Generator) -> Image:
    return camera.jpeg(camera.subsample_chroma(camera.noise(image, rng, 0.01)), 80)


_CLIPS = f"Frames of clips also carry noise of {CLIP_GRAIN:g}."

RECIPES: Final[Mapping[str, Recipe]] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "paper",
            "the paper's test recipe",
            "The plate is shifted by up to 0.3 px, bent by a gamma of 0.85 to 1.15 and noisy; the "
            f"source is untouched. {_CLIPS}",
            paper_plate,
            _clean,
            _noisy,
        ),
        Recipe(
            "webrtc",
            "through a webcam",
            "As in the paper, and both pictures went through a camera of their own: noise of 0.01, "
            "4:2:0 chroma, JPEG of quality 80.",
            _webrtc_plate,
            _webrtc,
            _webrtc,
        ),
        Recipe(
            "drifted",
            "with a plate that has drifted",
            f"As in the paper, and the plate is {-EXPOSURE:.0%} darker and {SHIFT:g} px off. "
            f"{_CLIPS}",
            _drifted_plate,
            _clean,
            _noisy,
        ),
    )
}

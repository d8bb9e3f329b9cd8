"""What the cameras that took them did to people and rooms before they came together.

A layer is a person, or a room, by itself; everything here is drawn for each layer anew.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scenes.camera import Generator, Image
from models.scenes.chances import Recipe
from models.scenes.pictures import Picture

Map = NDArray[np.float32]

_GREY = np.array([0.299, 0.587, 0.114])


def treated_room(room: Picture, rng: Generator, recipe: Recipe) -> Picture:
    """A room after its own colours, blur, sharpening and noise, as `recipe` has them strike."""
    if _strikes(recipe.colours, rng):
        matrix = colour_matrix(
            rng.uniform(0.8, 1.2), rng.uniform(0.8, 1.2), rng.uniform(0.7, 1.3),
            rng.uniform(-0.05, 0.05),
        )  # fmt: skip
        matrix[:, 3] *= 255
        room = _bytes(cv2.transform(room, matrix))
    if _strikes(recipe.soft, rng):
        room = _bytes(cv2.GaussianBlur(room, (0, 0), rng.uniform(0.5, 2.5)))
    if _strikes(recipe.crisp, rng):
        amount = rng.uniform(0.3, 1.0)
        soft = cv2.GaussianBlur(room, (0, 0), 1.2)
        room = _bytes(cv2.addWeighted(room, 1 + amount, soft, -amount, 0))
    if _strikes(recipe.grainy, rng):
        deviation = np.float32(255 * rng.uniform(0.005, 0.025))
        grain = deviation * rng.standard_normal(room.shape, dtype=np.float32)
        room = _bytes(cv2.add(room, grain, dtype=cv2.CV_8U))
    return room


def treated_person(
    premultiplied: Image, matte: Map, rng: Generator, recipe: Recipe
) -> tuple[Image, Map]:
    """The same for a person: premultiplied colour (H x W x 3) and alpha (H x W)."""
    if _strikes(recipe.grade, rng):
        premultiplied = _grade(premultiplied, matte, rng)
    if _strikes(recipe.colours, rng):
        matrix = colour_matrix(1.0, 1.0, 1.0, rng.uniform(-0.05, 0.05))[:, :3]
        turned = cv2.transform(premultiplied, matrix)
        premultiplied = _within(turned, matte)
    if _strikes(recipe.soft, rng):
        sigma = rng.uniform(0.4, 1.6)
        matte = _floats(cv2.GaussianBlur(matte, (0, 0), sigma))
        premultiplied = _within(cv2.GaussianBlur(premultiplied, (0, 0), sigma), matte)
    if _strikes(recipe.crisp, rng):
        # Colour only where it covers: a halo on alpha itself would be a lie about coverage.
        amount = np.float32(rng.uniform(0.3, 1.0))
        halo = premultiplied - cv2.GaussianBlur(premultiplied, (0, 0), 1.2)
        premultiplied = _within(premultiplied + amount * halo * matte[..., None], matte)
    if _strikes(recipe.grainy, rng):
        deviation = np.float32(rng.uniform(0.005, 0.025))
        grain = rng.standard_normal(premultiplied.shape, dtype=np.float32)
        premultiplied = _within(premultiplied + deviation * matte[..., None] * grain, matte)
    return premultiplied, matte


def colour_matrix(
    brightness: float, contrast: float, saturation: float, hue: float
) -> NDArray[np.float64]:
    """One affine map (3 x 4) of RGB in 0..1 for all four, which no hue needs to be computed for.

    Args:
        brightness: multiplies.
        contrast: multiplies the distance from 0.5.
        saturation: multiplies the distance from grey.
        hue: turn of the colours about the grey axis, in turns.
    """
    axis = np.full(3, 1 / np.sqrt(3))
    c, s = np.cos(2 * np.pi * hue), np.sin(2 * np.pi * hue)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turned = c * np.eye(3) + s * cross + (1 - c) * np.outer(axis, axis)
    saturated = saturation * np.eye(3) + (1 - saturation) * np.tile(_GREY, (3, 1))
    linear = brightness * contrast * saturated @ turned
    offset = np.full((3, 1), 0.5 * (1 - contrast))
    return np.concatenate([linear, offset], 1)


def _grade(premultiplied: Image, matte: Map, rng: Generator) -> Image:
    """The person's own light: brightness, contrast, saturation, tint; keeps colour <= alpha."""
    gain = rng.uniform(0.7, 1.25) * (1 + rng.uniform(-0.08, 0.08, 3))
    saturation, contrast = rng.uniform(0.7, 1.25), rng.uniform(0.8, 1.2)
    # All of it is linear in colour and alpha: grey is the mean, contrast turns about half of alpha.
    mixed = saturation * np.eye(3) + (1 - saturation) / 3
    graded = cv2.transform(premultiplied, gain[:, None] * contrast * mixed)
    offset = (0.5 * (1 - contrast) * gain).astype(np.float32)
    return _within(graded + offset * matte[..., None], matte)


def _strikes(chance: float, rng: Generator) -> bool:
    # No draw for what is off or certain, so that what came later does not change older scenes.
    return chance >= 1 or (chance > 0 and rng.random() < chance)


def _within(colour: NDArray[Any], matte: Map) -> Image:
    return np.asarray(np.clip(colour, 0, matte[..., None]), dtype=np.float32)


def _bytes(picture: NDArray[Any]) -> Picture:
    return np.asarray(picture, dtype=np.uint8)


def _floats(picture: NDArray[Any]) -> Map:
    return np.asarray(picture, dtype=np.float32)

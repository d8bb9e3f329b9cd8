"""One scene: people in a room, with the truth about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.scenes.camera import Generator, Image, from_bytes
from models.scenes.chances import Recipe
from models.scenes.layers import Map
from models.scenes.pictures import Picture
from models.scenes.views import affine, place, room_twice

__all__ = ["Map", "Recipe", "Scene", "compose"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What stood before the camera."""

    picture: Image
    """H x W x 3, RGB, 0..1: people in the room."""
    empty: Image
    """H x W x 3: the room as the plate's camera saw it, a little moved if so drawn."""
    alpha: Map
    """H x W, 0..1."""
    foreground: Image
    """H x W x 3; means something where alpha is above 0."""


def compose(
    people: Sequence[Picture],
    rooms: Sequence[Picture],
    size: tuple[int, int],
    rng: Generator,
    recipe: Recipe,
    first: int | None = None,
    textures: Sequence[Picture] | None = None,
) -> Scene:
    """Draw one scene.

    Args:
        people: H x W x 4, straight alpha.
        rooms: H x W x 3.
        size: rows and columns.
        rng: decides everything.
        recipe: what happens how often.
        first: the person wanted, if one is.
        textures: what props are cut from, if not from the rooms.
    """
    textures = textures or rooms
    height, width = size
    room = rooms[int(rng.integers(len(rooms)))]
    zoom = float(np.exp(rng.uniform(*np.log(recipe.zoom))))
    background, empty = room_twice(room, size, zoom, rng, recipe)
    draw = rng.random()
    count = 0 if draw < recipe.nobody else 2 if draw < recipe.nobody + recipe.two_people else 1
    premultiplied = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    for number in range(count):
        which = int(rng.integers(len(people)))
        chosen = people[which if first is None or number else first]
        person, matte = place(chosen, size, zoom, rng, recipe)
        if rng.random() < recipe.lookalike:
            person = _dress_like(person, matte, background, rng)
        person, matte = _over(person, matte, premultiplied, alpha)
        premultiplied, alpha = person, matte
    if count and rng.random() < recipe.props:
        prop, matte = _prop(textures[int(rng.integers(len(textures)))], alpha, rng)
        premultiplied, alpha = _over(prop, matte, premultiplied, alpha)
    if rng.random() < recipe.shadows:
        background = _shadow(background, alpha, rng)
    picture = premultiplied + (1 - alpha[..., None]) * background
    # Below 1/255 of coverage a colour cannot be told from the room's: let it be the picture's own.
    safe = np.maximum(alpha, 1 / 255)[..., None]
    foreground = np.where(alpha[..., None] > 1 / 255, premultiplied / safe, picture)
    return Scene(
        np.clip(picture, 0, 1),
        empty,
        np.where(alpha < 1 / 255, np.float32(0), alpha),
        np.clip(foreground, 0, 1).astype(np.float32),
    )


def _dress_like(person: Image, matte: Map, background: Image, rng: Generator) -> Image:
    """Clothes in the room's colour, a case the paper names as hard."""
    weight = matte[..., None]
    covered = weight.sum() + 1e-3
    own = person.sum((0, 1)) / covered
    behind = (background * weight).sum((0, 1)) / covered
    strength = np.float32(rng.uniform(0.3, 0.9))
    dressed = np.clip(person + strength * (behind - own) * weight, 0, weight)
    return np.asarray(dressed, dtype=np.float32)


def _prop(room: Picture, alpha: Map, rng: Generator) -> tuple[Image, Map]:
    """A held thing: a blob cut from another room, somewhere on the person."""
    height, width = alpha.shape
    inside = np.argwhere(alpha > 0.5)
    if not len(inside):
        return np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    y, x = (int(v) for v in inside[int(rng.integers(len(inside)))])
    radius = height * rng.uniform(0.04, 0.18)
    turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(4, 9))))
    reach = radius * rng.uniform(0.5, 1.3, len(turns))
    corners = np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], 1)
    matte = np.zeros((height, width), np.float32)
    cv2.fillPoly(matte, [np.round(corners * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    matte = np.clip(cv2.GaussianBlur(matte, (0, 0), rng.uniform(0.5, 1.2)), 0, 1)
    texture = from_bytes(cv2.resize(room, (width, height), interpolation=cv2.INTER_AREA))
    return texture * matte[..., None], matte


def _over(top: Image, top_alpha: Map, below: Image, below_alpha: Map) -> tuple[Image, Map]:
    keep = 1 - top_alpha
    return top + keep[..., None] * below, top_alpha + keep * below_alpha


def _shadow(background: Image, alpha: Map, rng: Generator) -> Image:
    """Shadows of the person: one or two, displaced, blurred, up to 45 % dark (paper: 30 %)."""
    height, width = alpha.shape
    for _ in range(int(rng.integers(1, 3))):
        shift = rng.uniform(-0.2, 0.2, 2) * (width, height)
        matrix = affine(
            (width / 2, height / 2), (width / 2 + shift[0], height / 2 + shift[1]),
            rng.uniform(0.7, 1.4), np.radians(rng.uniform(-8, 8)), 1.0,
        )  # fmt: skip
        cast = cv2.warpAffine(alpha, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        cast = cv2.GaussianBlur(cast, (0, 0), height * np.exp(rng.uniform(-4.3, -2.3)))
        background = background * (1 - np.float32(rng.uniform(0, 0.45)) * cast[..., None])
    return background

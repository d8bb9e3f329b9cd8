"""One scene: people in a room, with the truth about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scenes.camera import Generator, Image, from_bytes

Map = NDArray[np.float32]


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


@dataclass(frozen=True, slots=True)
class Recipe:
    """How scenes are drawn; the defaults are for training."""

    two_people: float = 0.12
    nobody: float = 0.03
    props: float = 0.15
    shadows: float = 0.5
    lookalike: float = 0.2
    misaligned: float = 0.5
    """Chance that the camera moved between plate and source."""
    shift: float = 0.006
    """Largest movement, as share of the width (paper appendix C: 1 %, and 1 degree)."""
    turn: float = 0.4
    """Largest rotation in degrees."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Range of the enlargement of all that is seen: a scene of 640x360 at zoom 2 is a window of
    one of 1280x720, for the price of the window."""


def compose(
    people: Sequence[NDArray[np.uint8]],
    rooms: Sequence[NDArray[np.uint8]],
    size: tuple[int, int],
    rng: Generator,
    recipe: Recipe,
    first: int | None = None,
) -> Scene:
    """Draw one scene of `size` (rows, columns); `first` is the person wanted, if one is."""
    height, width = size
    room = rooms[int(rng.integers(len(rooms)))]
    zoom = float(np.exp(rng.uniform(*np.log(recipe.zoom))))
    background, empty = _room_twice(room, size, zoom, rng, recipe)
    draw = rng.random()
    count = 0 if draw < recipe.nobody else 2 if draw < recipe.nobody + recipe.two_people else 1
    premultiplied = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    for number in range(count):
        which = int(rng.integers(len(people)))
        chosen = people[which if first is None or number else first]
        person, matte = _place(chosen, size, zoom, rng)
        if rng.random() < recipe.lookalike:
            person = _dress_like(person, matte, background, rng)
        person, matte = _over(person, matte, premultiplied, alpha)
        premultiplied, alpha = person, matte
    if count and rng.random() < recipe.props:
        prop, matte = _prop(rooms[int(rng.integers(len(rooms)))], alpha, rng)
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


def _room_twice(
    room: NDArray[np.uint8], size: tuple[int, int], zoom: float, rng: Generator, recipe: Recipe
) -> tuple[Image, Image]:
    """The same view of a room for the source and for the plate."""
    height, width = size
    rows, columns = room.shape[:2]
    cover = max(height / rows, width / columns)
    scale = cover * zoom * rng.uniform(1.02, 1.8)
    if scale < 1:  # bilinear warps alias below one half
        shrink = max(scale, 0.1)
        room = _resized(room, shrink)
        rows, columns = room.shape[:2]
        scale = scale / shrink
    angle = np.radians(rng.uniform(-3, 3))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    free_x = max(columns * scale - width, 0) / 2
    free_y = max(rows * scale - height, 0) / 2
    centre = (width / 2 + rng.uniform(-free_x, free_x), height / 2 + rng.uniform(-free_y, free_y))
    view = _affine((columns / 2, rows / 2), centre, scale, angle, flip)
    seen = _warp(room, view, size, cv2.BORDER_REFLECT_101)
    if rng.random() >= recipe.misaligned:
        return seen, seen.copy()
    # Squared, so that most movements are below a pixel, as between two moments of a laptop.
    reach = recipe.shift * width * rng.random() ** 2
    direction = rng.uniform(0, 2 * np.pi)
    moved = (centre[0] + reach * np.cos(direction), centre[1] + reach * np.sin(direction))
    turn = np.radians(recipe.turn) * rng.uniform(-1, 1) * rng.random()
    zoom = scale * (1 + 0.004 * rng.uniform(-1, 1) * rng.random())
    other = _affine((columns / 2, rows / 2), moved, zoom, angle + turn, flip)
    return seen, _warp(room, other, size, cv2.BORDER_REFLECT_101)


def _place(
    cutout: NDArray[np.uint8], size: tuple[int, int], zoom: float, rng: Generator
) -> tuple[Image, Map]:
    """A person somewhere in the frame: premultiplied colour and alpha."""
    height, width = size
    rows, columns = cutout.shape[:2]
    cut_below = bool(cutout[-4:, :, 3].max() > 127)
    scale = height / rows * zoom * rng.uniform(0.55, 1.5)
    cutout = _premultiply(cutout)
    if scale < 1:
        cutout = _resized(cutout, scale)
        rows, columns = cutout.shape[:2]
        scale = 1.0
    tall = rows * scale
    if cut_below:  # must leave the frame there, and so the window, wherever that looks
        y = height * zoom - tall * rng.uniform(0.15, 0.5) - height * rng.uniform(0, zoom - 1)
    else:
        y = height / 2 + rng.uniform(-0.3, 0.5) * height * zoom
    x = width * rng.uniform(0.1, 0.9)
    angle = np.radians(rng.uniform(-6, 6))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    matrix = _affine((columns / 2, rows / 2), (x, y + 2 if cut_below else y), scale, angle, flip)
    warped = from_bytes(cv2.warpAffine(cutout, matrix, (width, height), flags=cv2.INTER_LINEAR))
    matte = np.ascontiguousarray(warped[..., 3])
    colour = _grade(warped[..., :3], matte, rng)
    return colour, matte


def _premultiply(cutout: NDArray[np.uint8]) -> NDArray[np.uint8]:
    red, green, blue, alpha = cv2.split(cutout)
    colours = (cv2.multiply(colour, alpha, scale=1 / 255) for colour in (red, green, blue))
    return np.asarray(cv2.merge([*colours, alpha]), dtype=np.uint8)


def _grade(premultiplied: Image, matte: Map, rng: Generator) -> Image:
    """The person's own light: brightness, contrast, saturation, tint; keeps colour <= alpha."""
    a = matte[..., None]
    gain = rng.uniform(0.7, 1.25) * (1 + rng.uniform(-0.08, 0.08, 3))
    grey = premultiplied.mean(2, keepdims=True)
    saturated = grey + (premultiplied - grey) * np.float32(rng.uniform(0.7, 1.25))
    contrast = np.float32(rng.uniform(0.8, 1.2))
    graded = (saturated - 0.5 * a) * contrast + 0.5 * a
    return np.asarray(np.clip(graded * gain.astype(np.float32), 0, a), dtype=np.float32)


def _dress_like(person: Image, matte: Map, background: Image, rng: Generator) -> Image:
    """Clothes in the room's colour, a case the paper names as hard."""
    weight = matte[..., None]
    covered = weight.sum() + 1e-3
    own = person.sum((0, 1)) / covered
    behind = (background * weight).sum((0, 1)) / covered
    strength = np.float32(rng.uniform(0.3, 0.9))
    dressed = np.clip(person + strength * (behind - own) * weight, 0, weight)
    return np.asarray(dressed, dtype=np.float32)


def _prop(room: NDArray[np.uint8], alpha: Map, rng: Generator) -> tuple[Image, Map]:
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
        matrix = _affine(
            (width / 2, height / 2), (width / 2 + shift[0], height / 2 + shift[1]),
            rng.uniform(0.7, 1.4), np.radians(rng.uniform(-8, 8)), 1.0,
        )  # fmt: skip
        cast = cv2.warpAffine(alpha, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        cast = cv2.GaussianBlur(cast, (0, 0), height * np.exp(rng.uniform(-4.3, -2.3)))
        background = background * (1 - np.float32(rng.uniform(0, 0.45)) * cast[..., None])
    return background


def _affine(
    origin: tuple[float, float],
    target: tuple[float, float],
    scale: float,
    angle: float,
    flip: float,
) -> NDArray[np.float64]:
    """Scale, flip and turn about `origin`, which lands on `target` (x, y)."""
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[c * flip, -s], [s * flip, c]])
    shift = np.array(target) - linear @ np.array(origin)
    return np.concatenate([linear, shift[:, None]], 1)


def _warp(
    picture: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int], border: int
) -> Image:
    warped = cv2.warpAffine(
        picture, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR, borderMode=border
    )
    return from_bytes(warped)


def _resized(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    smaller = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, dtype=np.uint8)

"""How people and rooms come into the frame: scaled, turned, mirrored, moved."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scenes.camera import Generator, Image, from_bytes
from models.scenes.chances import Recipe
from models.scenes.layers import Map, treated_person, treated_room
from models.scenes.pictures import Picture


def room_twice(
    room: Picture, size: tuple[int, int], zoom: float, rng: Generator, recipe: Recipe
) -> tuple[Image, Image]:
    """The same view of a room for the source and for the plate."""
    height, width = size
    rows, columns = room.shape[:2]
    cover = max(height / rows, width / columns)
    scale = cover * zoom * _if(recipe.affine, rng.uniform(1.02, 1.8), 1.02)
    if scale < 1:  # bilinear warps alias below one half
        shrink = max(scale, 0.1)
        room = _resized(room, shrink)
        rows, columns = room.shape[:2]
        scale = scale / shrink
    angle = np.radians(_if(recipe.affine, rng.uniform(-3, 3), 0.0))
    flip = -1.0 if rng.random() < recipe.flip else 1.0
    free_x = max(columns * scale - width, 0) / 2
    free_y = max(rows * scale - height, 0) / 2
    aside = (rng.uniform(-free_x, free_x), rng.uniform(-free_y, free_y))
    centre = (
        width / 2 + _if(recipe.affine, aside[0], 0.0),
        height / 2 + _if(recipe.affine, aside[1], 0.0),
    )
    room = treated_room(room, rng, recipe)
    view = affine((columns / 2, rows / 2), centre, scale, angle, flip)
    seen = _warp(room, view, size, cv2.BORDER_REFLECT_101)
    if rng.random() >= recipe.misaligned:
        return seen, seen.copy()
    # Squared, so that most movements are below a pixel, as between two moments of a laptop.
    reach = recipe.shift * width * rng.random() ** 2
    direction = rng.uniform(0, 2 * np.pi)
    moved = (centre[0] + reach * np.cos(direction), centre[1] + reach * np.sin(direction))
    turn = np.radians(recipe.turn) * rng.uniform(-1, 1) * rng.random()
    zoom = scale * (1 + 0.004 * rng.uniform(-1, 1) * rng.random())
    other = affine((columns / 2, rows / 2), moved, zoom, angle + turn, flip)
    return seen, _warp(room, other, size, cv2.BORDER_REFLECT_101)


def place(
    cutout: Picture, size: tuple[int, int], zoom: float, rng: Generator, recipe: Recipe
) -> tuple[Image, Map]:
    """A person somewhere in the frame: premultiplied colour and alpha."""
    height, width = size
    rows, columns = cutout.shape[:2]
    cut_below = bool(cutout[-4:, :, 3].max() > 127)
    scale = height / rows * zoom * _if(recipe.affine, rng.uniform(0.55, 1.5), 0.9)
    cutout = _premultiply(cutout)
    if scale < 1:
        cutout = _resized(cutout, scale)
        rows, columns = cutout.shape[:2]
        scale = 1.0
    tall = rows * scale
    if cut_below:  # must leave the frame there, and so the window, wherever that looks
        up = _if(recipe.affine, rng.uniform(0.15, 0.5), 0.5)
        y = height * zoom - tall * up - height * rng.uniform(0, zoom - 1)
    else:
        y = height / 2 + _if(recipe.affine, rng.uniform(-0.3, 0.5), 0.0) * height * zoom
    x = width * _if(recipe.affine, rng.uniform(0.1, 0.9), 0.5)
    angle = np.radians(_if(recipe.affine, rng.uniform(-6, 6), 0.0))
    flip = -1.0 if rng.random() < recipe.flip else 1.0
    if recipe.focus and rng.random() < recipe.focus:
        x, y = _focused(cutout, size, scale, flip, rng) or (x, y)
        y = max(y, height - tall / 2) if cut_below else y
    matrix = affine((columns / 2, rows / 2), (x, y + 2 if cut_below else y), scale, angle, flip)
    warped = from_bytes(cv2.warpAffine(cutout, matrix, (width, height), flags=cv2.INTER_LINEAR))
    matte = np.ascontiguousarray(warped[..., 3])
    return treated_person(warped[..., :3], matte, rng, recipe)


def _focused(
    cutout: Picture, size: tuple[int, int], scale: float, flip: float, rng: Generator
) -> tuple[float, float] | None:
    """Where the cut-out's centre (x, y) must be for one of its soft pixels to be near the middle
    of the frame; nothing if it has none."""
    step = 4  # every fourth pixel finds hair as well
    alpha = cutout[::step, ::step, 3]
    soft = np.argwhere((alpha > 28) & (alpha < 228)) * step
    if not len(soft):
        return None
    row, column = (int(v) for v in soft[int(rng.integers(len(soft)))])
    height, width = size
    rows, columns = cutout.shape[:2]
    # Turned by a few degrees at most, which moves the pixel little.
    return (
        width * rng.uniform(0.2, 0.8) - (column - columns / 2) * scale * flip,
        height * rng.uniform(0.2, 0.8) - (row - rows / 2) * scale,
    )


def _if(drawn: bool, draw: float, fixed: float) -> float:
    # The draw is made either way, so that what is switched off moves nothing else.
    return draw if drawn else fixed


def _premultiply(cutout: Picture) -> Picture:
    red, green, blue, alpha = cv2.split(cutout)
    colours = (cv2.multiply(colour, alpha, scale=1 / 255) for colour in (red, green, blue))
    return np.asarray(cv2.merge([*colours, alpha]), dtype=np.uint8)


def affine(
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
    picture: Picture, matrix: NDArray[np.float64], size: tuple[int, int], border: int
) -> Image:
    warped = cv2.warpAffine(
        picture, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR, borderMode=border
    )
    return from_bytes(warped)


def _resized(picture: Picture, scale: float) -> Picture:
    smaller = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, dtype=np.uint8)

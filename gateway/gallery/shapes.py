"""What rooms are made of: materials, boxes, spheres, and where a ray meets them.

Arrays are N x 3 float32, one row per ray; lengths are metres, y points up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.float32]
Paint: TypeAlias = Callable[[Rows], Rows]
"""Surface points (N x 3) to colours (N x 3)."""

FAR = np.float32(1e9)


@dataclass(frozen=True)
class Material:
    """How a surface treats light."""

    colour: Rows | Paint
    """Albedo, or light given off when `lamp`."""
    lamp: bool = False
    gloss: float = 0.0
    """Share of the light that leaves as from a rough mirror."""

    def at(self, points: Rows) -> Rows:
        """The colour at these surface points."""
        if callable(self.colour):
            return self.colour(points)
        return np.broadcast_to(self.colour, points.shape)


@dataclass(frozen=True)
class Box:
    """An axis-aligned box between two corners, in metres."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    material: Material


@dataclass(frozen=True)
class Sphere:
    """A ball: lamps, pots, fruit."""

    centre: tuple[float, float, float]
    radius: float
    material: Material


Shape: TypeAlias = Box | Sphere


@dataclass(frozen=True)
class Camera:
    """A thin lens in metres: what is not at `focus` is out of focus."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    focal: float = 1.1
    """Distance of the picture plane in units of half its height; large is a long lens."""
    focus: float = 1.2
    lens: float = 0.03
    """Radius of the lens."""


@dataclass(frozen=True)
class Room:
    """Everything the light can meet. Groups share a bound that spares most of their tests."""

    groups: Sequence[Sequence[Shape]]
    camera: Camera
    sun: tuple[float, float, float] | None = None
    """Direction towards the sun, any length."""
    sun_light: tuple[float, float, float] = (0.0, 0.0, 0.0)


def box_hits(shape: Box, origin: Rows, inverse: Rows) -> Rows:
    """Distance to the box per ray, `FAR` where missed; from inside, the far wall."""
    near = (np.array(shape.low, np.float32) - origin) * inverse
    far = (np.array(shape.high, np.float32) - origin) * inverse
    enter = np.minimum(near, far).max(axis=1)
    leave = np.maximum(near, far).min(axis=1)
    distance = np.where(enter > 1e-3, enter, leave)
    return np.where((leave >= enter) & (distance > 1e-3), distance, FAR).astype(np.float32)


def sphere_hits(shape: Sphere, origin: Rows, direction: Rows) -> Rows:
    """Distance to the sphere per ray of unit length, `FAR` where missed."""
    to_centre = np.array(shape.centre, np.float32) - origin
    along = (to_centre * direction).sum(axis=1)
    inside = shape.radius**2 - (to_centre**2).sum(axis=1) + along**2
    half = np.sqrt(np.maximum(inside, 0))
    distance = np.where(along - half > 1e-3, along - half, along + half)
    return np.where((inside > 0) & (distance > 1e-3), distance, FAR).astype(np.float32)


def bounds(group: Sequence[Shape]) -> Box:
    """The smallest box around a group."""
    lows, highs = [], []
    for shape in group:
        if isinstance(shape, Box):
            lows.append(np.array(shape.low))
            highs.append(np.array(shape.high))
        else:
            lows.append(np.array(shape.centre) - shape.radius)
            highs.append(np.array(shape.centre) + shape.radius)
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    return Box(tuple(low), tuple(high), group[0].material)


def unit(rows: Rows) -> Rows:
    """Rows of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), dtype=np.float32)

"""Which painter paints which backdrop, and how the result is developed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from . import LIST, landscapes, rooms, walls
from .canvas import Canvas, Light
from .film import develop

WIDTH, HEIGHT = 1920, 1080
SAMPLES = 72
"""Light paths per pixel of a traced room."""

PAINTERS: Mapping[str, Callable[[Canvas], Light]] = {
    "loft": rooms.loft,
    "library": rooms.library,
    "office": rooms.office,
    "studio": walls.studio,
    "terracotta": walls.terracotta,
    "concrete": walls.concrete,
    "hills": landscapes.hills,
    "ocean": landscapes.ocean,
    "aurora": landscapes.aurora,
    "city": landscapes.city,
    "linen": walls.linen,
    "paper": walls.paper,
    "dusk": walls.dusk,
}


def paint(
    backdrop: str, width: int = WIDTH, height: int = HEIGHT, samples: int = SAMPLES
) -> NDArray[np.uint8]:
    """One backdrop as height x width x 3 RGB; the same arguments give the same bytes.

    Raises `KeyError` where the list or the painters do not know the backdrop.
    """
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["backdrop"]
    entry = {each["id"]: each for each in entries}[backdrop]
    canvas = Canvas(width, height, entry["seed"], samples)
    return develop(PAINTERS[backdrop](canvas), canvas, exposure=entry["exposure"])

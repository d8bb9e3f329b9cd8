"""What rooms are furnished with: surfaces, walls with windows, sofas, plants, pictures, books."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .canvas import colour
from .shapes import Box, Material, Paint, Rows, Shape, Sphere


def matt(code: str, gloss: float = 0.0) -> Material:
    """A plain surface."""
    return Material(colour(code), gloss=gloss)


def lamp(code: str, power: float) -> Material:
    """A surface that gives light: `power` times a white wall in full light."""
    return Material(colour(code) * np.float32(power), lamp=True)


def planks(light: str, dark: str, width: float, along: int, across: int) -> Paint:
    """Boards of wood: each with its own tone, seams between them."""

    def paint(points: Rows) -> Rows:
        position = points[:, across] / width
        number = np.floor(position)
        tone = np.mod(np.sin(number * 78.233 + 1.7) * 43758.5453, 1.0)
        grain = 0.15 * np.sin(points[:, along] * 9 + number * 5 + 3 * np.sin(position * 25))
        blend = np.clip(tone + grain, 0, 1)[:, None]
        seam = np.where(np.abs(position - number - 0.5) > 0.485, 0.55, 1.0)[:, None]
        wood = colour(light) * blend + colour(dark) * (1 - blend)
        return np.asarray(wood * seam, dtype=np.float32)

    return paint


def bricks(light: str, dark: str, joint: str) -> Paint:
    """A brick wall facing the camera."""

    def paint(points: Rows) -> Rows:
        row = np.floor(points[:, 1] / 0.085)
        shifted = points[:, 0] / 0.26 + 0.5 * np.mod(row, 2)
        column = np.floor(shifted)
        tone = np.mod(np.sin(row * 127.1 + column * 311.7) * 43758.5453, 1.0)[:, None]
        in_joint = (points[:, 1] / 0.085 - row < 0.13) | (shifted - column < 0.045)
        brick = colour(light) * tone + colour(dark) * (1 - tone)
        return np.where(in_joint[:, None], colour(joint), brick).astype(np.float32)

    return paint


def books(seed: int, palette: Sequence[str], left: float, bottom: float, height: float) -> Paint:
    """The spines of a shelf: widths, heights, colours and title bands drawn from `seed`."""
    random = np.random.default_rng(seed)
    widths = random.uniform(0.022, 0.058, 80)
    edges = left + np.cumsum(widths)
    tall = random.uniform(0.72, 0.97, 81) * height
    tall[random.random(81) < 0.06] = 0.0
    tones = np.stack([colour(code) for code in palette])[random.integers(0, len(palette), 81)]
    tones = (tones * random.uniform(0.9, 2.0, (81, 1))).astype(np.float32)
    banded = random.random(81) < 0.45

    def paint(points: Rows) -> Rows:
        number = np.searchsorted(edges, points[:, 0])
        above = points[:, 1] - bottom
        inside = points[:, 0] - np.concatenate([[left], edges])[number]
        spine = tones[number] * (0.55 + 0.45 * np.sin(np.pi * inside / 0.045).clip(0, 1))[:, None]
        band = banded[number] & (np.abs(above / np.maximum(tall[number], 0.01) - 0.78) < 0.05)
        spine = np.where(band[:, None], spine * 0.4 + colour("#c9a55c") * 0.5, spine)
        shadow = colour("#0d0a08")
        return np.where((above < tall[number])[:, None], spine, shadow).astype(np.float32)

    return paint


def shell(
    floor: Material, back: Material, side: Material, ceiling: Material, depth: float, high: float
) -> list[Shape]:
    """Floor, back wall, right wall, ceiling and a wall behind the camera; the left is open."""
    return [
        Box((-4.2, -0.1, -depth), (4.2, 0.0, 3.0), floor),
        Box((-4.2, 0.0, -depth - 0.1), (4.2, high, -depth), back),
        Box((3.6, 0.0, -depth), (3.7, high, 3.0), side),
        Box((-4.2, high, -depth), (4.2, high + 0.1, 3.0), ceiling),
        Box((-4.2, 0.0, 3.0), (4.2, high, 3.1), side),
    ]


def window_wall(
    wall: Material, frame: Material, depth: float, high: float, bays: int, sill: float
) -> list[Shape]:
    """A left wall at x = -3.1 with tall windows, each of six panes."""
    shapes: list[Shape] = [
        Box((-3.25, 0.0, -depth), (-3.1, sill, 3.0), wall),
        Box((-3.25, high - 0.25, -depth), (-3.1, high, 3.0), wall),
    ]
    span = (depth + 3.0) / bays
    for bay in range(bays + 1):
        z = -depth + bay * span
        shapes.append(Box((-3.25, sill, z - 0.16), (-3.1, high - 0.25, z + 0.16), wall))
        for pane in (1, 2):
            middle = z + pane * span / 3
            shapes.append(
                Box((-3.2, sill, middle - 0.02), (-3.15, high - 0.25, middle + 0.02), frame)
            )
    y = sill + (high - 0.25 - sill) * 0.45
    shapes.append(Box((-3.2, y - 0.02, -depth), (-3.15, y + 0.02, 3.0), frame))
    return shapes


def plant(
    random: np.random.Generator, foot: tuple[float, float, float], pot: Material, leaves: str
) -> list[Shape]:
    """A pot with a bushy plant of about 0.8 m."""
    x, y, z = foot
    shapes: list[Shape] = [Box((x - 0.14, y, z - 0.14), (x + 0.14, y + 0.3, z + 0.14), pot)]
    for _ in range(34):
        angle, reach, rise = random.uniform(0, 6.28), random.uniform(0.02, 0.3), random.random()
        centre = (
            x + np.cos(angle) * reach * (1.1 - 0.5 * rise),
            y + 0.36 + rise * 0.62,
            z + np.sin(angle) * reach * (1.1 - 0.5 * rise),
        )
        tone = colour(leaves) * np.float32(random.uniform(0.5, 1.5))
        shapes.append(Sphere(centre, float(random.uniform(0.035, 0.075)), Material(tone)))
    return shapes


def sofa(x: float, z: float, fabric: Material, wide: float = 2.0) -> list[Shape]:
    """A low sofa against a wall, its back to -z."""
    half = wide / 2
    return [
        Box((x - half, 0.12, z), (x + half, 0.42, z + 0.85), fabric),
        Box((x - half, 0.42, z), (x + half, 0.82, z + 0.22), fabric),
        Box((x - half - 0.16, 0.1, z), (x - half, 0.62, z + 0.85), fabric),
        Box((x + half, 0.1, z), (x + half + 0.16, 0.62, z + 0.85), fabric),
        Box((x - half + 0.1, 0.45, z + 0.2), (x - half + 0.52, 0.8, z + 0.36), matt("#c77f4a")),
        Box((x + half - 0.5, 0.45, z + 0.2), (x + half - 0.08, 0.78, z + 0.36), matt("#d9cdb8")),
    ]


def picture_frame(
    x: float, y: float, z: float, wide: float, high: float, code: str, rim: str = "#1d1a18"
) -> list[Shape]:
    """A framed print on the back wall."""
    return [
        Box((x, y, z), (x + wide, y + high, z + 0.03), matt(rim)),
        Box(
            (x + 0.03, y + 0.03, z), (x + wide - 0.03, y + high - 0.03, z + 0.032), matt("#e8e2d6")
        ),
        Box((x + 0.1, y + 0.1, z), (x + wide - 0.1, y + high - 0.1, z + 0.035), matt(code)),
    ]

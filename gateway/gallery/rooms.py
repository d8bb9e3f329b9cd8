"""Backdrops that are rooms: a loft at dusk, a library in the evening, an office in the morning."""

from __future__ import annotations

from .canvas import Canvas, Light
from .furniture import (
    books,
    bricks,
    lamp,
    matt,
    picture_frame,
    planks,
    plant,
    shell,
    sofa,
    window_wall,
)
from .shapes import Box, Camera, Material, Room, Shape, Sphere
from .tracer import photograph


def loft(canvas: Canvas) -> Light:
    """Brick, tall windows with the last blue light, warm bulbs."""
    depth, high = 4.0, 3.1
    floor = Material(planks("#8a5a34", "#5a3820", 0.16, 2, 0), gloss=0.1)
    brick = Material(bricks("#b8765c", "#8a5341", "#a8968a"))
    plaster, iron = matt("#b8a595"), matt("#17171a")
    bulbs: list[Shape] = []
    for x, y, z in ((-1.9, 2.45, -2.6), (-1.25, 2.2, -2.9), (1.55, 2.4, -2.7), (2.2, 2.15, -2.4)):
        bulbs.append(Sphere((x, y, z), 0.055, lamp("#ffd2a0", 300)))
        bulbs.append(Box((x - 0.006, y + 0.05, z - 0.006), (x + 0.006, high, z + 0.006), iron))
    standing: list[Shape] = [
        Box((2.28, 0.0, -3.52), (2.32, 1.5, -3.48), iron),
        Box((2.1, 0.0, -3.7), (2.5, 0.03, -3.3), iron),
        Sphere((2.3, 1.62, -3.5), 0.19, lamp("#ffd0a0", 42)),
    ]
    shelf: list[Shape] = [Box((0.95, 1.62, -4.0), (2.0, 1.66, -3.76), matt("#4a2f1c"))]
    for i, (tone, tall) in enumerate(
        (
            ("#d8cbb5", 0.22),
            ("#37536b", 0.27),
            ("#b9793f", 0.18),
            ("#2e2a2a", 0.25),
            ("#8d3f32", 0.2),
        )
    ):
        left = 1.02 + i * 0.19
        shelf.append(Box((left, 1.66, -3.98), (left + 0.1, 1.66 + tall, -3.8), matt(tone)))
    room = Room(
        groups=[
            shell(floor, brick, plaster, matt("#57483f"), depth, high),
            window_wall(matt("#8d5a47"), iron, depth, high, 3, 0.5),
            [Box((-3.42, 0.4, -depth), (-3.4, 2.9, 3.0), lamp("#7f9fd6", 5.0))],
            bulbs,
            standing,
            sofa(-0.75, -3.9, matt("#3f5560")),
            shelf,
            [Box((-1.5, high - 0.05, 0.4), (2.5, high - 0.02, 2.6), lamp("#ffe6cc", 3.0))],
            picture_frame(-1.5, 1.3, -4.0, 0.7, 0.9, "#31566b"),
            picture_frame(-0.65, 1.45, -4.0, 0.55, 0.75, "#c0673e"),
            plant(canvas.random, (-2.55, 0.0, -3.4), matt("#caa98a"), "#3f5a3a"),
            plant(canvas.random, (3.1, 0.0, -3.2), matt("#3a3a40"), "#48603c"),
        ],
        camera=Camera((0.35, 1.3, 0.9), (-0.05, 1.38, -4.0), focal=2.3, focus=1.2, lens=0.03),
    )
    return photograph(room, canvas)


PALETTE = (
    "#5b2320", "#7b3b26", "#1f3644", "#24443f", "#8a6a3c", "#3a2a22",
    "#b59a6a", "#2a2c3c", "#6c1f2b", "#94785a", "#d3c3a0", "#43352e",
)  # fmt: skip


def library(canvas: Canvas) -> Light:
    """A wall of books in lamplight."""
    depth, high = 3.6, 3.2
    wood, brass = Material(planks("#96683f", "#7a5232", 0.3, 1, 0)), matt("#a98545", 0.3)
    shelves: list[Shape] = []
    sconces: list[Shape] = []
    left, bay, rise = -3.5, 1.0, 0.4
    for column in range(8):
        x = left + column * bay
        shelves.append(Box((x - 0.03, 0.0, -depth), (x + 0.03, high, -depth + 0.42), wood))
    for row in range(9):
        y = 0.05 + row * rise
        shelves.append(Box((left, y - 0.02, -depth), (-left, y + 0.02, -depth + 0.4), wood))
    spines: list[Shape] = []
    for row in range(8):
        for column in range(7):
            x, y = left + column * bay + 0.03, 0.07 + row * rise
            seed = 7 + row * 16 + column
            paint = books(seed, PALETTE, x, y, rise - 0.05)
            recess = 0.07 + 0.02 * (seed % 3)
            face = (x + bay - 0.06, y + rise - 0.05, -depth + 0.4 - recess)
            spines.append(Box((x, y, -depth + 0.05), face, Material(paint)))
    for x in (left + 2 * bay, left + 5 * bay):  # shaded brass lights on two of the uprights
        sconces.append(Sphere((x, 1.98, -depth + 0.56), 0.075, lamp("#ffd9ab", 60)))
        sconces.append(Box((x - 0.05, 1.8, -depth + 0.42), (x + 0.05, 1.84, -depth + 0.6), brass))
    reading: list[Shape] = [
        Box((1.58, 0.0, -2.32), (1.62, 1.35, -2.28), brass),
        Sphere((1.6, 1.5, -2.3), 0.17, lamp("#ffdcb4", 24)),
        Box((1.1, 0.0, -2.6), (1.95, 0.55, -2.1), wood),
    ]
    chair = [
        Box((-2.15, 0.15, -2.6), (-1.15, 0.5, -1.8), matt("#6f4633", 0.06)),
        Box((-2.15, 0.5, -2.75), (-1.15, 1.2, -2.5), matt("#6f4633", 0.06)),
        Box((-2.3, 0.15, -2.7), (-2.1, 0.75, -1.8), matt("#64402f", 0.06)),
        Box((-1.2, 0.15, -2.7), (-1.0, 0.75, -1.8), matt("#64402f", 0.06)),
    ]
    room = Room(
        groups=[
            shell(
                matt("#3b2417", 0.08),
                matt("#2b1a10"),
                matt("#4b3a30"),
                matt("#5b4a3c"),
                depth,
                high,
            ),
            shelves,
            *[spines[i : i + 7] for i in range(0, len(spines), 7)],
            sconces,
            reading,
            chair,
            [Box((-3.6, 0.0, -depth), (-3.5, high, 3.0), matt("#4b3a30"))],
            [Box((-1.5, high - 0.05, 0.6), (1.5, high - 0.02, 2.4), lamp("#ffe3c4", 14))],
        ],
        camera=Camera((-0.3, 1.42, -0.1), (0.12, 1.46, -3.6), focal=2.1, focus=1.0, lens=0.02),
    )
    return photograph(room, canvas)


def office(canvas: Canvas) -> Light:
    """Morning sun through tall windows onto white walls and oak."""
    depth, high = 3.8, 2.9
    oak = matt("#b98a58")
    floor = Material(planks("#c39a6b", "#a67c50", 0.18, 2, 0), gloss=0.06)
    white, black = matt("#e9e5dd"), matt("#232427")
    board: list[Shape] = [
        Box((0.55, 1.2, -depth), (2.6, 1.24, -depth + 0.28), oak),
        Box((0.55, 1.75, -depth), (2.6, 1.79, -depth + 0.28), oak),
    ]
    things = (
        (0.62, 1.24, 0.05, 0.3, "#d9d3c7"), (0.69, 1.24, 0.06, 0.34, "#395a6e"),
        (0.77, 1.24, 0.05, 0.28, "#c4744a"), (0.84, 1.24, 0.07, 0.31, "#2f3238"),
        (1.25, 1.24, 0.22, 0.16, "#e0c9a4"), (1.75, 1.24, 0.14, 0.36, "#b9c2c7"),
        (2.1, 1.24, 0.06, 0.3, "#8b3f35"), (2.18, 1.24, 0.05, 0.33, "#e3ded3"),
        (2.25, 1.24, 0.06, 0.27, "#47606b"), (0.7, 1.79, 0.3, 0.2, "#46576a"),
        (1.3, 1.79, 0.05, 0.3, "#cfb58a"), (1.37, 1.79, 0.06, 0.33, "#6b4a3a"),
        (1.45, 1.79, 0.05, 0.29, "#dfd9ce"), (2.05, 1.79, 0.22, 0.26, "#c98a62"),
    )  # fmt: skip
    for x, y, wide, tall, tone in things:
        board.append(Box((x, y, -depth + 0.04), (x + wide, y + tall, -depth + 0.22), matt(tone)))
    desk: list[Shape] = [
        Box((0.7, 0.71, -3.5), (2.7, 0.75, -2.75), oak),
        Box((0.75, 0.0, -3.45), (0.8, 0.71, -2.8), black),
        Box((2.6, 0.0, -3.45), (2.65, 0.71, -2.8), black),
        Box((1.35, 0.82, -3.4), (2.05, 1.22, -3.37), black),
        Box((1.66, 0.75, -3.42), (1.74, 0.85, -3.36), black),
        Sphere((2.42, 0.83, -3.1), 0.075, matt("#d77f4f")),
    ]
    room = Room(
        groups=[
            shell(floor, white, matt("#dfd9cf"), matt("#f0eee9"), depth, high),
            window_wall(matt("#e9e5dd"), matt("#3a3c40"), depth, high, 3, 0.35),
            [Box((-3.42, 0.3, -depth), (-3.4, 2.7, 3.0), lamp("#cfe0f7", 5.0))],
            [Box((-1.0, high - 0.05, -1.2), (2.8, high - 0.02, 1.8), lamp("#fff1e0", 1.1))],
            board,
            desk,
            sofa(-1.35, -3.7, matt("#8d9aa3"), 1.5),
            picture_frame(-2.0, 1.35, -depth, 0.62, 0.82, "#d3875b", "#b98a58"),
            picture_frame(-1.2, 1.35, -depth, 0.62, 0.82, "#4d7186", "#b98a58"),
            plant(canvas.random, (0.12, 0.0, -3.4), matt("#e4dccf"), "#4b6a45"),
            plant(canvas.random, (3.1, 0.0, -2.6), matt("#c97f58"), "#4b6a45"),
        ],
        camera=Camera((0.3, 1.28, 0.9), (0.0, 1.3, -3.8), focal=2.3, focus=1.2, lens=0.024),
        sun=(-1.0, 0.62, 0.42),
        sun_light=(6.5, 5.4, 4.0),
    )
    return photograph(room, canvas)

"""A room, and somebody in it who holds up a card: drawn, so that measuring needs no file.

The wall behind the card is half way between the card's ink and its paper, so that both differ from
the plate. Furniture gives the plate edges to be judged and recognised by.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.bench import card

Picture = NDArray[np.float32]
"""H x W x 3, or x 4 with straight alpha: RGB, 0..255."""
Points = list[tuple[float, float]]

DETAIL: Final = 2
"""Drawn this many times larger and reduced, which smooths edges."""
SWAY: Final = 0.012
"""How far the person leans to either side, in widths of the picture."""

BODY: Final = (0.26, 0.08, 0.74, 1.0)
HANDS: Final = (0.36, 0.45, 0.64, 0.82)
"""Left, top, right, bottom of what is drawn of them, in widths and heights: the rest is the room's.
"""

WALL, FLOOR, BOARD = (128, 131, 134), (104, 82, 62), (214, 212, 206)
BOOKS = (
    (150, 48, 42),
    (38, 74, 120),
    (196, 160, 70),
    (60, 104, 72),
    (92, 66, 110),
    (206, 200, 188),
)
SHIRT, SEAM, SKIN, SHADE, HAIR = (
    (38, 66, 104),
    (24, 44, 76),
    (222, 176, 148),
    (190, 140, 114),
    (52, 36, 28),
)


class Scene:
    """The room and the person at one size of picture."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height

    @cached_property
    def room(self) -> Picture:
        """The empty scene."""
        canvas = self._canvas(3)
        self._box(canvas, (0, 0, 1, 1), WALL)
        self._box(canvas, (0, 0.86, 1, 1), FLOOR)
        self._box(canvas, (0, 0.83, 1, 0.86), BOARD)
        # A window with its frame, to the left.
        self._box(canvas, (0.05, 0.10, 0.27, 0.60), BOARD)
        for column in (0.065, 0.17):
            for row in (0.13, 0.37):
                self._box(canvas, (column, row, column + 0.085, row + 0.20), (172, 196, 214))
        # A shelf with books, to the right.
        generator = np.random.default_rng(3)
        for shelf in (0.30, 0.52, 0.74):
            self._box(canvas, (0.72, shelf, 0.97, shelf + 0.018), (92, 68, 48))
            left = 0.73
            while left < 0.94:
                wide, tall = generator.uniform(0.010, 0.022), generator.uniform(0.09, 0.15)
                colour = BOOKS[generator.integers(len(BOOKS))]
                self._box(canvas, (left, shelf - tall, left + wide, shelf), colour)
                left += wide + 0.002
        # Light falls from the window's side.
        light = np.linspace(1.06, 0.94, canvas.shape[1], dtype=np.float32)[None, :, None]
        return self._reduced(canvas * light)

    @cached_property
    def body(self) -> Picture:
        """The person without arms, with alpha."""
        canvas = self._canvas(4)
        torso: Points = [
            (0.30, 1.02), (0.315, 0.70), (0.36, 0.55), (0.46, 0.49), (0.54, 0.49),
            (0.64, 0.55), (0.685, 0.70), (0.70, 1.02),
        ]  # fmt: skip
        self._shape(canvas, torso, SHIRT)
        self._shape(canvas, [(0.47, 0.36), (0.53, 0.36), (0.54, 0.51), (0.46, 0.51)], SHADE)
        self._oval(canvas, (0.5, 0.25), (0.078, 0.155), HAIR)
        self._oval(canvas, (0.5, 0.285), (0.062, 0.125), SKIN)
        for eye in (0.478, 0.522):
            self._oval(canvas, (eye, 0.27), (0.007, 0.010), HAIR)
        self._oval(canvas, (0.5, 0.345), (0.018, 0.008), (170, 92, 84))
        self._shape(canvas, [(0.355, 0.62), (0.362, 0.62), (0.352, 1.02), (0.345, 1.02)], SEAM)
        return self._reduced(canvas)

    @cached_property
    def hands(self) -> Picture:
        """The card's blank sheet and the hands that hold it still, with alpha."""
        canvas = self._canvas(4)
        left, right, top, bottom = card.paper(self.width, self.height)
        x0, x1 = left / self.width, right / self.width
        y0, y1 = top / self.height, bottom / self.height
        self._box(canvas, (x0, y0, x1, y1), (card.PAPER,) * 3)
        middle = (y0 + y1) / 2
        for side, inward in ((x0, 1), (x1, -1)):
            self._oval(canvas, (side - 0.006 * inward, middle), (0.017, 0.045), SKIN)
        return self._reduced(canvas)

    def present(self, phase: float) -> Picture:
        """The room with the person, who leans from left (phase 0) to right (phase 1)."""
        picture = self.room.copy()
        rows, columns = self._part(BODY)
        layer = self.body[rows, columns]
        moved = cv2.warpAffine(
            layer,
            np.array([[1, 0, -math.cos(math.pi * phase) * SWAY * self.width], [0, 1, 0]]),
            (layer.shape[1], layer.shape[0]),
            borderMode=cv2.BORDER_REPLICATE,
        )
        picture[rows, columns] = over(np.asarray(moved, np.float32), picture[rows, columns])
        rows, columns = self._part(HANDS)
        picture[rows, columns] = over(self.hands[rows, columns], picture[rows, columns])
        return picture

    def _part(self, box: tuple[float, float, float, float]) -> tuple[slice, slice]:
        left, right = round(box[0] * self.width), round(box[2] * self.width)
        return slice(round(box[1] * self.height), round(box[3] * self.height)), slice(left, right)

    def _canvas(self, channels: int) -> Picture:
        return np.zeros((DETAIL * self.height, DETAIL * self.width, channels), np.float32)

    def _reduced(self, canvas: Picture) -> Picture:
        if canvas.shape[2] == 4:
            # Premultiplied, so that reducing leaves no dark fringe.
            canvas = np.dstack([canvas[..., :3] * canvas[..., 3:] / 255, canvas[..., 3]])
        size = (self.width, self.height)
        small = np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.float32)
        if small.shape[2] == 4:
            small[..., :3] *= 255 / np.maximum(small[..., 3:], 1)
        return small

    def _at(self, canvas: Picture, x: float, y: float) -> tuple[int, int]:
        return round(x * canvas.shape[1]), round(y * canvas.shape[0])

    def _colour(self, canvas: Picture, rgb: tuple[int, ...]) -> tuple[float, ...]:
        return (*(float(part) for part in rgb), 255.0)[: canvas.shape[2]]

    def _box(
        self, canvas: Picture, box: tuple[float, float, float, float], rgb: tuple[int, ...]
    ) -> None:
        (x0, y0), (x1, y1) = self._at(canvas, *box[:2]), self._at(canvas, *box[2:])
        canvas[y0:y1, x0:x1] = self._colour(canvas, rgb)

    def _shape(self, canvas: Picture, points: Points, rgb: tuple[int, ...]) -> None:
        corners = np.array([self._at(canvas, *point) for point in points], np.int32)
        cv2.fillPoly(canvas, [corners], self._colour(canvas, rgb))

    def _oval(
        self,
        canvas: Picture,
        centre: tuple[float, float],
        radii: tuple[float, float],
        rgb: tuple[int, ...],
    ) -> None:
        at, reach = self._at(canvas, *centre), self._at(canvas, *radii)
        cv2.ellipse(canvas, at, reach, 0, 0, 360, self._colour(canvas, rgb), cv2.FILLED)


def over(layer: Picture, picture: Picture) -> Picture:
    """A layer with straight alpha over a picture."""
    alpha = layer[..., 3:] / 255
    return picture + alpha * (layer[..., :3] - picture)

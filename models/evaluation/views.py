"""What an answer looks like: pictures for a person's eye, float32, H x W x 3, RGB, 0..1."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.contender import Answer
from models.scenes.camera import Image

_GREEN: Final = np.array([0, 177, 64], np.float32) / 255

_SURPLUS: Final = np.array([255, 96, 64], np.float32) / 255
_LACKING: Final = np.array([64, 156, 255], np.float32) / 255


def grey(plane: NDArray[np.float32]) -> Image:
    """A plane of H x W."""
    return np.repeat(plane[..., None], 3, 2)


def on_green(alpha: NDArray[np.float32], foreground: Image) -> Image:
    """The composite on the green that shows every remnant of a room."""
    weight = alpha[..., None]
    return np.asarray(weight * foreground + (1 - weight) * _GREEN, dtype=np.float32)


def answer_on_green(answer: Answer, source: Image) -> Image:
    """The same of an answer; who finds no foreground shows the source, with the room's light on
    every edge."""
    return on_green(answer.alpha, source if answer.foreground is None else answer.foreground)


def difference(alpha: NDArray[np.float32], truth: NDArray[np.float32]) -> Image:
    """Where alpha is too high (orange) or too low (blue)."""
    signed = alpha - truth
    # The root makes an error of a tenth visible.
    strength = np.sqrt(np.abs(signed))[..., None]
    colour = np.where(signed[..., None] > 0, _SURPLUS, _LACKING)
    return np.asarray(strength * colour, dtype=np.float32)

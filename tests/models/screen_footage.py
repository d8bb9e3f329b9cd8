"""Footage before a green or blue screen whose alpha is known."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

GREEN = (0.16, 0.64, 0.25)
BLUE = (0.12, 0.25, 0.72)
DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Shot:
    """What the camera saw, and the truth."""

    picture: NDArray[np.uint8]
    alpha: Floats
    foreground: Floats
    """Before any spill."""


def cut_out(name: str, height: int | None = None) -> NDArray[np.uint8]:
    """A person of tests/data, H x W x 4 RGBA."""
    picture = Image.open(DATA / name).convert("RGBA")
    if height is not None:
        # Straight alpha: colours are scaled with their alpha, or the hidden ones would show.
        rgba = np.asarray(picture, np.float32) / 255
        rgba[..., :3] *= rgba[..., 3:]
        size = (round(picture.width * height / picture.height), height)
        small = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)
        small[..., :3] /= np.maximum(small[..., 3:], 1e-4)
        return np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)
    return np.asarray(picture)


def shoot(
    person: NDArray[np.uint8],
    colour: tuple[float, float, float],
    *,
    seed: int = 0,
    spill: float = 0.12,
    noise: float = 0.012,
    quality: int | None = 88,
    light: float = 0.5,
) -> Shot:
    """The person before a screen: light that falls off, folds, spill, noise, JPEG with 4:2:0."""
    rng = np.random.default_rng(seed)
    rgba = person.astype(np.float32) / 255
    alpha, foreground = rgba[..., 3], rgba[..., :3]
    height, width = alpha.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    # A lamp up on the left: 1.1 there, down to 1.1 - light in the corner opposite.
    lit = 1.1 - light * ((x + 0.4) ** 2 + 0.6 * (y + 0.3) ** 2) / 2.97
    folds = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), height / 40)
    lit = lit + 0.015 * folds / folds.std()
    plate = np.clip(lit[..., None] * np.array(colour), 0, 1)
    # Spill comes from the side: strongest on the rim, a little everywhere.
    near = cv2.GaussianBlur(1 - alpha, (0, 0), height / 60)
    shining = (0.1 + near)[..., None] * spill * np.array(colour)
    spilled = np.clip(foreground + shining, 0, 1)
    seen = alpha[..., None] * spilled + (1 - alpha[..., None]) * plate
    seen = seen + rng.normal(0, noise, seen.shape)
    picture = np.rint(np.clip(seen, 0, 1) * 255).astype(np.uint8)
    if quality is not None:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
        picture = np.asarray(Image.open(buffer))
    return Shot(picture, alpha, foreground.astype(np.float32))

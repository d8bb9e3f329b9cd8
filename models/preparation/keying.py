"""Chroma key: alpha and foreground of a person before a green or blue screen.

All pictures are H x W x 3 float32 RGB in 0..1 as encoded by the camera; alpha is H x W in 0..1.
The paper's authors made VideoMatte240K and PhotoMatte13K from such footage (section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.preparation.edges import despeckle, guided
from models.preparation.garbage import without_garbage
from models.preparation.screen import KEY_CHANNEL, Kind, Screen, difference, light_screen
from models.preparation.spill import remove_spill, rim_of
from models.preparation.spreading import spread

Floats = NDArray[np.float32]

DOUBT: Final = 0.05**2
"""Variance of a colour axis from noise and halved chroma, however even the person's colours."""

FLAT: Final = 3e-4
"""Variance of colour below which the edge-aware clean-up sees no edge."""

LOYALTY: Final = 0.3
"""How strongly colours of thin hair are held to their neighbours'."""

DEPTH: Final = 1 / 100
"""How far inside, as share of the long side, a pixel that is not clearly screen is all person."""


@dataclass(frozen=True, slots=True)
class KeySettings:
    """How hard the key works; the defaults suit a screen lit with some care."""

    black: float = 0.07
    """Alpha at and below which a pixel is all screen: noise and folds of the cloth."""
    white: float = 0.92
    """Alpha at and above which a pixel is all person."""
    despill: float = 1.0
    """How much of the screen's light is taken off the person, 0..1."""
    radius: int | None = None
    """Pixels of the edge-aware clean-up; by the picture's size if not given, 0 for none."""
    speck: int | None = None
    """Islands and holes of fewer pixels go; by the picture's size if not given."""
    garbage: bool = True
    """Throw away what lies beyond the screen's edges."""
    sheer: bool = False
    """Keep what is half transparent deep inside the person, such as a veil or a glass."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """What was found."""

    alpha: Floats
    """H x W."""
    foreground: Floats
    """H x W x 3, without spill; carried on beyond the person's edge, where alpha is 0."""
    plate: Floats
    """H x W x 3, the screen as it is lit, without the person."""


def key(
    picture: Floats,
    screen: Screen,
    settings: KeySettings | None = None,
    garbage: Floats | None = None,
) -> Keyed:
    """Alpha and foreground of one picture.

    Args:
        picture: H x W x 3.
        screen: `find_screen` of this picture or of its clip.
        settings: the defaults if not given.
        garbage: H x W, 1 where nothing may be kept; in addition to what is found.

    Raises:
        ScreenMissing: nothing of the screen is in the picture.
    """
    settings = settings or KeySettings()
    long_side = max(picture.shape[:2])
    plate, sure = light_screen(picture, screen)
    alpha = _alpha_by_colours(picture, plate, screen.kind, long_side)
    radius = max(1, round(long_side / 600)) if settings.radius is None else settings.radius
    if radius:
        alpha = _along_edges(alpha, picture, radius)
    alpha = np.clip((alpha - settings.black) / (settings.white - settings.black), 0, 1)
    if not settings.sheer:
        alpha = _solid_inside(alpha, DEPTH * long_side)
    if settings.garbage:
        alpha = without_garbage(np.asarray(alpha, np.float32), sure)
    if garbage is not None:
        alpha = alpha * (1 - garbage)
    speck = round((long_side / 100) ** 2) if settings.speck is None else settings.speck
    alpha = despeckle(np.asarray(alpha, np.float32), speck)
    foreground = _foreground(picture, plate, alpha, screen.kind, settings.despill)
    return Keyed(alpha, foreground, plate)


def _alpha_by_colours(picture: Floats, plate: Floats, kind: Kind, long_side: int) -> Floats:
    """Where a pixel lies between the plate's colour and the person's nearby.

    First by the colour difference alone, which is exact for a grey or black person and too high
    for skin; then by projection onto the line between the two colours (Chuang et al. 2001, A
    Bayesian Approach to Digital Matting), every axis weighted by how little the
    person's colours vary along it around there.
    """
    full = np.maximum(difference(plate, kind), 1e-3)
    rough = np.clip(1 - difference(picture, kind) / full, 0, 1)
    side = 2 * max(1, round(long_side / 700)) + 1
    solid = cv2.erode((rough > 0.93).astype(np.uint8), np.ones((side, side), np.uint8))
    if not solid.any():
        return np.asarray(rough, np.float32)
    trusted = solid.astype(np.float32)
    person = spread(remove_spill(picture, kind, np.ones_like(trusted), trusted), trusted)
    axes = _axes(kind)
    off = (picture - person) @ axes.T
    variance = spread(np.asarray(off * off, np.float32), trusted) + np.float32(DOUBT)
    line = (person - plate) @ axes.T
    seen = (picture - plate) @ axes.T
    length = (line * line / variance).sum(-1)
    alpha = np.clip((line * seen / variance).sum(-1) / np.maximum(length, 1e-4), 0, 1)
    return np.asarray(np.where(solid > 0, np.maximum(rough, alpha), alpha), dtype=np.float32)


def _axes(kind: Kind) -> Floats:
    """Rows: the screen's colour against the mean of the others, these against each other, and
    brightness; 3 x 3."""
    channel = KEY_CHANNEL[kind]
    one, other = (index for index in range(3) if index != channel)
    axes = np.full((3, 3), 1 / 3, np.float32)
    axes[0, [channel, one, other]] = 1, -0.5, -0.5
    axes[1, [channel, one, other]] = 0, 1, -1
    return axes


def _along_edges(alpha: Floats, picture: Floats, radius: int) -> Floats:
    """Guided by the picture where alpha is soft; what is clear stays as it is."""
    smooth = guided(alpha, picture, radius, FLAT)
    soft = ((alpha > 0.02) & (alpha < 0.98)).astype(np.uint8)
    band = cv2.dilate(soft, np.ones((3, 3), np.uint8)).astype(np.float32)
    return np.asarray(alpha + band * (smooth - alpha), dtype=np.float32)


def _solid_inside(alpha: Floats, depth: float) -> Floats:
    """All person, far from anything that is half screen or more: cloth that resembles the screen
    a little, reflections of it."""
    distance = cv2.distanceTransform((alpha > 0.4).astype(np.uint8), cv2.DIST_L2, 3)
    inside = np.clip(np.asarray(distance, np.float32) / np.float32(depth) - 1, 0, 1)
    lift = inside * np.clip((alpha - 0.4) / 0.2, 0, 1)
    return np.asarray(alpha + lift * (1 - alpha), dtype=np.float32)


def _foreground(
    picture: Floats, plate: Floats, alpha: Floats, kind: Kind, despill: float
) -> Floats:
    """The person's own colours: the plate's share subtracted, spill removed, edges carried on."""
    rim, inner = rim_of(alpha)
    opacity = alpha[..., None]
    shown = np.clip((picture - (1 - opacity) * plate) / np.maximum(opacity, 0.1), 0, 1)
    own = remove_spill(np.asarray(shown, np.float32), kind, rim, inner, despill)
    trusted = np.clip((alpha - 0.3) / 0.65, 0, 1) ** 2
    carried = spread(own, np.asarray(trusted, np.float32))
    # Least squares between what the pixel shows and what its neighbours carry on: the thinner the
    # person is there, the less the pixel can say, and noise divided by alpha would speckle hair.
    residual = picture - opacity * carried - (1 - opacity) * plate
    colours = np.clip(carried + opacity * residual / (opacity**2 + LOYALTY * (1 - opacity)), 0, 1)
    return remove_spill(np.asarray(colours, np.float32), kind, rim, inner, despill)

"""How much of a frame the network looks at, by its size, the device and the time there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BASE_WIDTH_CPU: Final = 256
"""Columns the base network sees on a processor: the lower end of what it was trained on (crops of
256 to 511)."""

BASE_WIDTH_ACCELERATOR: Final = 480
"""Columns on an accelerator: 480x270, what the paper gives HD."""

REFINED_SHARE: Final = 0.1
"""Most of the refiner's gain is reached at 5 to 10 % of the area (paper, section 5.3)."""

MOST_REFINED: Final = 80_000
"""The published setting for HD, in pixels."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Settings of `MattingConfig` for one size of frame."""

    base_scale: float
    refine_pixels: int


@dataclass(frozen=True, slots=True)
class Level:
    """One step of what is given up for speed, each a share of the usual."""

    base: float
    """Columns of the base network."""
    refined: float
    """Pixels that may be refined."""
    size: float
    """Sides of the frame that is matted, and so of the composite."""


LEVELS: Final = (
    Level(1.0, 1.0, 1.0),
    Level(1.0, 0.6, 1.0),
    Level(0.8, 0.5, 1.0),
    Level(0.65, 0.4, 1.0),
    Level(0.65, 0.4, 0.75),
    Level(0.65, 0.4, 0.5),
)
"""From all there is to the least. Hair is given up before outlines, both before pixels: a composite
of half the size is soft everywhere, one from a smaller base network only where it is hard."""


def operating_point(
    height: int, width: int, *, accelerator: bool, level: Level = LEVELS[0]
) -> OperatingPoint:
    """640x360: 0.4 on a processor; 1280x720: 0.25 there, 0.375 on an accelerator; HD: 0.25.

    A portrait frame is judged by its longer side. Steps of 1/40 keep the number of compiled
    networks small while a browser adapts its resolution; the limits are the network's.

    Args:
        height: rows of the frame that is matted.
        width: its columns.
        accelerator: whether networks run on one.
        level: what is given up; its `size` is the caller's to follow.
    """
    longest = max(height, width)
    wanted = (BASE_WIDTH_ACCELERATOR if accelerator else BASE_WIDTH_CPU) * level.base
    least = 0.25 if longest <= 2048 else 0.125
    scale = min(max(round(wanted / longest * 40) / 40, least * level.base, 0.125), 0.5)
    share = REFINED_SHARE * level.refined
    # A patch has 16 pixels.
    pixels = min(round(height * width * share / 16) * 16, round(MOST_REFINED * level.refined))
    return OperatingPoint(scale, max(pixels, 16))

"""How much of a frame the network looks at, by the frame's size and the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BASE_WIDTH_CPU: Final = 256
"""Columns the base network sees on a processor: 256x144 costs 8 ms on two AMD EPYC cores through
OpenVINO in bf16, and is the lower end of what it was trained on (crops of 256 to 511)."""

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


def operating_point(height: int, width: int, *, accelerator: bool) -> OperatingPoint:
    """640x360: 0.4 on a processor; 1280x720: 0.25 there, 0.375 on an accelerator; HD: 0.25.

    A portrait frame is judged by its longer side. Steps of 1/40 keep the number of compiled
    networks small while a browser adapts its resolution; the limits are the network's.
    """
    longest = max(height, width)
    wanted = BASE_WIDTH_ACCELERATOR if accelerator else BASE_WIDTH_CPU
    scale = min(max(round(wanted / longest * 40) / 40, 0.25 if longest <= 2048 else 0.125), 0.5)
    # A patch has 16 pixels.
    pixels = min(round(height * width * REFINED_SHARE / 16) * 16, MOST_REFINED)
    return OperatingPoint(scale, max(pixels, 16))

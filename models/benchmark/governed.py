"""The engine with its governor: what it gives up for a promised rate, and what it then holds."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from models import colour
from models.benchmark.contestants import Contestant, Shown
from models.benchmark.scene import Scene
from models.report import Quality

STEADY: Final = 6.0
"""Seconds without another level after which it counts as found: the governor tries a better one
after four."""

LONGEST: Final = 30.0
"""Seconds after which a governor that swings is measured as it is."""


@dataclass(frozen=True, slots=True)
class Governed:
    """What one stream got whose frames come as fast as they are done."""

    rate: float
    """Promised, frames a second."""
    fps: float
    p50: float
    p95: float
    """Milliseconds of a frame."""
    quality: Quality
    """Of the last frame."""
    size: str
    """Of its composite, `640x360`."""


def measure_governed(
    path: Contestant,
    scene: Scene,
    rate: float,
    seconds: float,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Governed:
    """A stream of an engine that promises `rate`, once its governor has found its level."""
    numbers = itertools.count()

    def show() -> Shown:
        return path.frame(scene.sources[next(numbers) % len(scene.sources)])

    began = since = clock()
    level = None
    while clock() - since < min(STEADY, seconds) and clock() - began < LONGEST:
        quality = show().quality
        if quality is not None and quality.level != level:
            level, since = quality.level, clock()
    times: list[float] = []
    began = now = clock()
    shown = None
    while shown is None or now - began < seconds:
        shown = show()
        before, now = now, clock()
        times.append(1000 * (now - before))
    assert shown.quality is not None  # a plate has been proven, so that the network ran
    height, width = colour.frame_size(shown.pixels)
    return Governed(
        rate,
        1000 * len(times) / sum(times),
        p50=float(np.percentile(times, 50)),
        p95=float(np.percentile(times, 95)),
        quality=shown.quality,
        size=f"{width}x{height}",
    )

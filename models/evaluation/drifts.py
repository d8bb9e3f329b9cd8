"""How much drift a matte survives: one property of the plate, or of both pictures, at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from models.evaluation.recipes import digital, grained, paper_plate
from models.scenes import streaming
from models.scenes.camera import Generator, Image

Look = Callable[[Image, Image, Generator, float], tuple[Image, Image]]
"""From the picture, the empty scene with its margin, a generator and a point to source and
plate."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One curve of the report. Everything but its own property is as in the paper's recipe."""

    name: str
    title: str
    unit: str
    points: tuple[float, ...]
    look: Look


_HD_MEGAPIXELS_A_SECOND = 1280 * 720 * streaming.RATE / 1e6

_GRAIN = 0.01
"""Noise that a compressed stream has to carry."""


def _exposure(picture: Image, empty: Image, rng: Generator, per_cent: float) -> tuple[Image, Image]:
    return digital(picture), paper_plate(empty, rng, exposure=per_cent / 100)


def _shift(picture: Image, empty: Image, rng: Generator, pixels: float) -> tuple[Image, Image]:
    return digital(picture), paper_plate(empty, rng, shift=pixels)


def _noise(picture: Image, empty: Image, rng: Generator, per_cent: float) -> tuple[Image, Image]:
    plate = paper_plate(empty, rng)
    return grained(picture, rng, per_cent / 100), grained(plate, rng, per_cent / 100)


def _compression(
    picture: Image, empty: Image, rng: Generator, megabits: float
) -> tuple[Image, Image]:
    plate = paper_plate(empty, rng)
    bits = megabits / _HD_MEGAPIXELS_A_SECOND
    source = streaming.received(grained(picture, rng, _GRAIN), "libvpx", bits, _GRAIN, rng)
    return source, streaming.received(grained(plate, rng, _GRAIN), "libvpx", bits, _GRAIN, rng)


DRIFTS: Final[Mapping[str, Drift]] = {
    drift.name: drift
    for drift in (
        Drift(
            "exposure",
            "Exposure of the plate",
            "% brighter than the source",
            (-30, -15, -7.5, 0, 7.5, 15, 30),
            _exposure,
        ),
        Drift("shift", "Shift of the plate", "pixels", (0, 1, 2, 3, 5, 8), _shift),
        Drift("noise", "Noise of plate and source", "% of full scale", (0, 1, 2, 4, 6), _noise),
        Drift(
            "compression",
            "VP8 compression of plate and source",
            "Mbit/s at 1280x720; the same bits a pixel at other sizes",
            (1, 1.5, 2, 3, 5),
            _compression,
        ),
    )
}

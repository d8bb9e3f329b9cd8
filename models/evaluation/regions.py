"""`python -m models.evaluation.regions --data DATA`: does the lookout's region lose anybody?

Held-back people over held-back rooms, as every recipe shows them: how far a person's outline goes
beyond what differs from the fitted plate, and what alpha loses where the network sees the region
alone instead of the whole frame.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.backends import Backend
from models.evaluation.backend_contender import BackendContender
from models.evaluation.examined import examined
from models.evaluation.recipes import RECIPES
from models.evaluation.sets import Sample, StillSet
from models.lookout import Lookout, extent
from models.operating_point import operating_point
from models.region import Region
from models.scenes.camera import to_bytes
from models.tracking import THUMBNAIL, PlateTracker
from models.weights import default_weights

Floats = NDArray[np.float32]

SETTLING: Final = 12
"""Frames in which a fit reaches its end."""

VISIBLE: Final = 0.05
"""Alpha from which a pixel is of the person's outline."""

POINT: Final = operating_point(720, 1280, accelerator=False)


def examine(stills: StillSet, count: int, backend: Backend[Any]) -> dict[str, dict[str, float]]:
    """By recipe: medians, means and worst cases over `count` scenes."""
    found: dict[str, list[Sequence[float]]] = {}
    for index in range(count):
        scene = stills.scene(index)
        for recipe in RECIPES.values():
            sample = stills.sample(index, recipe, scene)
            found.setdefault(recipe.name, []).append(_compared(sample, backend))
    return {name: _summary(np.asarray(rows)) for name, rows in found.items()}


def _compared(sample: Sample, backend: Backend[Any]) -> tuple[float, float, float, float]:
    """Cells missed, share seen, and the mean error of alpha: of the whole frame, of the region."""
    source, plate = (backend.upload_rgb(to_bytes(each)) for each in (sample.source, sample.plate))
    seen, room = (backend.thumbnail(each, *THUMBNAIL) for each in (source, plate))
    truth = cv2.resize(sample.alpha, THUMBNAIL[::-1], interpolation=cv2.INTER_AREA)
    tracker = PlateTracker(room, noise=0.005)
    for number in range(SETTLING):
        fit = tracker.follow(seen, np.asarray(truth, np.float32) if number else None)
    fitted, size = backend.adjust(plate, fit), (sample.alpha.shape[0], sample.alpha.shape[1])
    # Without the frame before, whose alpha could only add to it.
    nobody, apart = np.zeros(THUMBNAIL, np.float32), tracker.apart(seen)
    region = Lookout().region(size, apart, nobody, lambda _: True)
    errors = []
    for part in (Region.whole(size), region):
        alpha = np.zeros(size, np.float32)
        image, empty = (backend.part(each, part) for each in (source, fitted))
        cutout = backend.refine(image, empty, backend.base(image, empty, POINT), POINT)
        alpha[part.pixels] = backend.read(cutout)[0]
        errors.append(float(np.abs(alpha - sample.alpha).mean()))
    return _missed(sample.alpha, apart), region.share(size), errors[0], errors[1]


def _missed(alpha: Floats, apart: Floats) -> float:
    """Cells of the thumbnail by which the outline goes beyond what differs, at the worse end."""
    columns = np.flatnonzero((alpha > VISIBLE).any(0))
    if not len(columns):
        return 0.0
    first, last = (end * apart.shape[1] / alpha.shape[1] for end in (columns[0], columns[-1] + 1))
    low, high = extent(apart, np.zeros_like(apart))
    return float(max(low - first, last - high, 0.0))


def _summary(rows: Floats) -> dict[str, float]:
    missed, shares, whole, region = rows.T
    return {
        "cells_missed_at_most": round(float(missed.max()), 1),
        "share_seen": round(float(shares.mean()), 3),
        "mad_whole": round(float(whole.mean()), 6),
        "mad_region": round(float(region.mean()), 6),
        "mad_more_at_most": round(float((region - whole).max()), 6),
    }


def main() -> None:
    """Print the examination as JSON."""
    stills, scenes = examined(__doc__, scenes=40)
    contender = BackendContender.load(
        default_weights("cpu"), "int8", POINT.base_scale, POINT.refine_pixels
    )
    with contextlib.closing(contender.backend) as backend:
        found = examine(stills, scenes, backend)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

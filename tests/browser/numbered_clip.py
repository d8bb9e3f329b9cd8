"""The clip of `camera_clip` with a numbered card before the person's chest, and pages that read it.

A frame's number is its place in the clip; the clip repeats, so a number is of the last time that
the camera showed it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.bench import card
from tests.browser.camera_clip import CameraClip

Sight = tuple[int, float]
"""A number and milliseconds of the page's clock."""

MEASURES = {
    "left": card.LEFT,
    "top": card.TOP,
    "right": card.RIGHT,
    "bottom": card.BOTTOM,
    "columns": card.COLUMNS,
    "rows": card.ROWS,
    "faintest": card.FAINTEST,
    "seed": card.SEED,
    "polynomial": card.POLYNOMIAL,
}
READER = "\n".join(
    [
        f"const CARD = {json.dumps(MEASURES)};",
        Path(__file__).with_name("numbered_card.js").read_text(encoding="utf-8"),
    ]
)
"""For a page: `readCard`, `cardContext` and `watchCard`."""


@dataclass(frozen=True)
class NumberedClip(CameraClip):
    """Whoever stands in the room holds up the number of the frame."""

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """As in `CameraClip`, without the card, which is another in every frame."""
        where = super().inside.copy()
        left, right, top, bottom = card.paper(self.width, self.height)
        where[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2] = False
        return where

    def exposures(self) -> Iterator[NDArray[np.uint8]]:
        for index, i420 in enumerate(super().exposures()):
            if self.phase(index) == "standing":
                card.draw(i420[: self.height], index)
            yield i420


def latencies(sources: Sequence[Sight], composites: Sequence[Sight], period: float) -> list[float]:
    """Milliseconds from each number's last sight in the source to its first in the composite.

    `period` is the length of the clip in milliseconds: what is older was shown a round earlier.
    """
    times: dict[int, list[float]] = {}
    for number, at in sources:
        times.setdefault(number, []).append(at)
    found: list[float] = []
    taken: set[tuple[int, float]] = set()
    for number, at in composites:
        before = [each for each in times.get(number, ()) if each <= at and at - each < period / 2]
        if number >= 0 and before and (number, before[-1]) not in taken:
            taken.add((number, before[-1]))
            found.append(at - before[-1])
    return found


def rate(sights: Sequence[Sight]) -> float:
    """Numbers a second while the person stands there; gaps of a second are not counted."""
    readable = [(number, at) for number, at in sights if number >= 0]
    steps = [
        later[1] - earlier[1]
        for earlier, later in pairwise(readable)
        if later[0] > earlier[0] and later[1] - earlier[1] < 1000
    ]
    return 1000 * len(steps) / sum(steps) if steps else 0.0


def inbound_outbound(stats: Sequence[Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    """A page's video statistics, by `inbound-rtp` and `outbound-rtp`."""
    return {
        str(each["type"]): each
        for each in stats
        if each.get("kind") == "video" and each["type"] in ("inbound-rtp", "outbound-rtp")
    }

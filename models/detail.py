"""How closely the frames of one stream are looked at, from frame to frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from models.governor import Governor
from models.operating_point import LEVELS, OperatingPoint, operating_point
from models.region import Size
from models.report import Quality

SMALLEST: Final = 640
"""Pixels of a composite's longer side that are never given up: fewer frames are better than a face
that nobody recognises."""

Ready = Callable[[int, int, OperatingPoint], bool]
"""`Backend.ready`."""


@dataclass(frozen=True, slots=True)
class Detail:
    """How closely a frame is looked at."""

    asked: Size
    """Of the source."""
    size: Size
    """Of what is matted, and of the composite."""
    point: OperatingPoint | None
    """`None` while nothing can be done for frames of this size."""
    level: int = 0
    levels: int = 1

    @property
    def quality(self) -> Quality | None:
        """For the stream's statistics."""
        if self.point is None:
            return None
        return Quality(self.level, self.levels, self.point.base_scale, self.point.refine_pixels)


class Ladder:
    """The details of one stream's frames: without a governor, all there is; with one, what it says
    as soon as that can be had."""

    def __init__(
        self,
        ready: Ready,
        *,
        accelerator: bool,
        governor: Governor | None,
        prepared: Ready | None = None,
    ) -> None:
        """`ready` is the backend's; only the frames of a governed stream do not wait for it. One
        level gives way to another that is also `prepared`."""
        self._ready, self._prepared = ready, prepared or ready
        self._accelerator, self.governor = accelerator, governor
        self._current: Detail | None = None
        self._steps: tuple[Detail, ...] = ()

    def at(self, asked: Size) -> Detail:
        """For a source of this size; the same answer until something changes."""
        governor = self.governor
        if governor is None:
            return Detail(asked, asked, operating_point(*asked, accelerator=self._accelerator))
        if self._current is None or self._current.asked != asked:
            self._steps = self._details(asked)
            governor.restart(len(self._steps))
        wanted = self._steps[governor.level]
        if self._can(wanted) and (self._anew(asked, wanted) or self._may_change(wanted)):
            self._current = wanted
        elif self._current is None or self._current.asked != asked or not self._can(self._current):
            self._current = Detail(asked, asked, None)
        # Otherwise the level before goes on until the new one can be had.
        return self._current

    def _details(self, asked: Size) -> tuple[Detail, ...]:
        """One a level, from all there is to the least. A level that gives up nothing of this size
        is none: going down it would cost time and bring none."""
        ways: dict[tuple[Size, OperatingPoint], None] = {}
        for level in LEVELS:
            size = _reduced(asked, level.size)
            ways[size, operating_point(*size, accelerator=self._accelerator, level=level)] = None
        return tuple(
            Detail(asked, size, point, number, len(ways))
            for number, (size, point) in enumerate(ways)
        )

    def _can(self, detail: Detail) -> bool:
        """Whether frames can be looked at so now."""
        return detail.point is not None and self._ready(*detail.size, detail.point)

    def _anew(self, asked: Size, wanted: Detail) -> bool:
        """Whether `wanted` replaces no other level that goes on meanwhile."""
        current = self._current
        return (
            current is None
            or current.point is None
            or current.asked != asked
            or (current == wanted)
        )

    def _may_change(self, wanted: Detail) -> bool:
        return wanted.point is not None and self._prepared(*wanted.size, wanted.point)

    def took(self, milliseconds: float, quality: Quality | None, *, usual: bool = True) -> None:
        """A frame has taken so long of the matting thread's time; if `usual`, others will too."""
        if self.governor is not None and quality is not None:
            self.governor.measured(milliseconds, quality.level, share=quality.looked, usual=usual)


def _reduced(size: Size, share: float) -> Size:
    share = max(share, SMALLEST / max(size))
    if share >= 1:
        return size
    height, width = (max(round(side * share / 2) * 2, 16) for side in size)
    return height, width


def same_shape(one: Size, other: Size) -> bool:
    """Whether a browser may have scaled one size to the other, which keeps the view."""
    return abs(one[0] * other[1] - one[1] * other[0]) < 0.03 * one[1] * other[1]

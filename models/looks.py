"""How closely the frames of one stream are looked at, from frame to frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.governor import Governor
from models.operating_point import LEVELS, OperatingPoint, operating_point
from models.report import Quality

Size = tuple[int, int]
"""Height and width."""

Ready = Callable[[int, int, OperatingPoint], bool]
"""`Backend.ready`."""


@dataclass(frozen=True, slots=True)
class Look:
    """How closely a frame is looked at."""

    asked: Size
    """Of the source."""
    size: Size
    """Of what is matted, and of the composite."""
    point: OperatingPoint | None
    """`None` while nothing can be done for frames of this size."""
    level: int

    @property
    def quality(self) -> Quality | None:
        """For the stream's statistics."""
        if self.point is None:
            return None
        return Quality(self.level, len(LEVELS), self.point.base_scale, self.point.refine_pixels)


class Looks:
    """Without a governor, all there is; with one, what it says as soon as that can be had."""

    def __init__(self, ready: Ready, *, accelerator: bool, governor: Governor | None) -> None:
        """`ready` is the backend's; only the frames of a governed stream do not wait for it."""
        self._ready, self._accelerator, self.governor = ready, accelerator, governor
        self._current: Look | None = None

    def at(self, asked: Size) -> Look:
        """For a source of this size; the same answer until something changes."""
        governor = self.governor
        if governor is None:
            return Look(asked, asked, operating_point(*asked, accelerator=self._accelerator), 0)
        if self._current is None or self._current.asked != asked:
            governor.restart()
        level = governor.level
        size = asked if level.size == 1 else _reduced(asked, level.size)
        point = operating_point(*size, accelerator=self._accelerator, level=level)
        if self._ready(*size, point):
            self._current = Look(asked, size, point, governor.number)
        elif self._current is None or self._current.asked != asked:
            self._current = Look(asked, asked, None, governor.number)
        # Otherwise the level before goes on until the new one can be had.
        return self._current


def _reduced(size: Size, share: float) -> Size:
    height, width = (max(round(side * share / 4) * 4, 16) for side in size)
    return height, width

"""What the report shows beside our weights: what people use now, and what needs no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from models.evaluation.comparators.difference import DifferenceKey
from models.evaluation.comparators.package import MEDIAPIPE, ComparatorMissing, Package, fetch, find
from models.evaluation.comparators.selfie import SelfieSegmentation
from models.evaluation.contender import Contender

__all__ = ["COMPARATORS", "Comparator", "ComparatorMissing", "fetch", "open_comparator"]


@dataclass(frozen=True, slots=True)
class Comparator:
    """A contender that is not ours."""

    title: str
    open: Callable[[], Contender]
    """Raises `ComparatorMissing` where it needs what is not here."""
    package: Package | None = None
    """Where its files come from; None if it needs none."""

    @property
    def here(self) -> bool:
        """Whether its files are."""
        if self.package is None:
            return True
        try:
            for path in self.package.files:
                find(self.package, path.rsplit("/", 1)[-1])
        except ComparatorMissing:
            return False
        return True


COMPARATORS: Final[Mapping[str, Comparator]] = {
    "mediapipe": Comparator(
        "MediaPipe selfie segmentation, general (256x256)",
        lambda: SelfieSegmentation("mediapipe", "square"),
        MEDIAPIPE,
    ),
    "mediapipe-landscape": Comparator(
        "MediaPipe selfie segmentation, landscape (256x144)",
        lambda: SelfieSegmentation("mediapipe-landscape", "landscape"),
        MEDIAPIPE,
    ),
    "difference-key": Comparator(
        "difference keying: source and plate compared, no network", DifferenceKey
    ),
}
"""By the name that `--comparator` takes."""


def open_comparator(name: str) -> Contender:
    """The comparator of that name.

    Raises:
        ComparatorMissing: there is none of that name, or it needs what is not here; says what to
            do.
    """
    if name not in COMPARATORS:
        raise ComparatorMissing(
            f"there is no comparator {name!r}; there are: {', '.join(COMPARATORS)}"
        )
    return COMPARATORS[name].open()

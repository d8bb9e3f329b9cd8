"""What the convolutions of one set of weights read: from where to where."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from models.errors import WeightsError
from models.quantisation.loss import little
from models.weights import card_of
from models.weights.card import Card

logger = logging.getLogger(__name__)

FEATURES: Final = "decoder.conv4"
"""The last convolution also reads the pictures; its range is that of its features alone."""


MEASURED: Final = "measured"
"""Key of what int8 was found to lose, in the card's table."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Of the base network's convolutions that are rounded, by their names."""

    peaks: Mapping[str, float]
    """The largest magnitude that is told apart; more is taken for it."""
    signed: frozenset[str]
    """Those that read values below 0 as well."""
    made: Mapping[str, Any] = field(default_factory=dict)
    """How they were found, and what was measured with them."""

    def __post_init__(self) -> None:
        """Raises ValueError where a range is none."""
        wrong = [name for name, peak in self.peaks.items() if not 0 < peak < float("inf")]
        if wrong or not self.signed <= self.peaks.keys():
            raise ValueError(f"no range: {(wrong or sorted(self.signed - self.peaks.keys()))[0]}")

    @property
    def proven(self) -> bool:
        """Whether what they lose was measured, and is little."""
        return little(self.made.get(MEASURED))

    def table(self, sha256: str) -> dict[str, Any]:
        """For the card of the weights with that checksum."""
        return {
            "weights_sha256": sha256,
            **self.made,
            "ranges": {
                name: [-peak if name in self.signed else 0.0, peak]
                for name, peak in self.peaks.items()
            },
        }


def ranges_of(card: Card) -> Ranges | None:
    """Those in a card; `None` where it has none.

    Raises:
        WeightsError: they are malformed, or were found for other weights.
    """
    if not card.int8:
        return None
    table = dict(card.int8)
    again = f"run `cleanplate weights calibrate {card.name}`"
    if table.pop("weights_sha256", None) != card.sha256:
        raise WeightsError(f"the int8 ranges of {card.name} are of other weights: {again}")
    try:
        ranges = {
            str(name): (float(low), float(high))
            for name, (low, high) in table.pop("ranges").items()
        }
        signed = frozenset(name for name, (low, _) in ranges.items() if low < 0)
        return Ranges({name: high for name, (_, high) in ranges.items()}, signed, table)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"the int8 ranges of {card.name} are malformed ({error!r}): {again}"
        ) from error


def load_ranges(name_or_path: str | Path) -> Ranges | None:
    """Those of weights, named as for `models.weights.load_network`; `None` where there are none.

    What is wrong with them is told in the log: without them weights are slower and right.
    """
    card = card_of(name_or_path)
    try:
        return None if card is None else ranges_of(card)
    except WeightsError as error:
        logger.warning("no int8: %s", error)
        return None

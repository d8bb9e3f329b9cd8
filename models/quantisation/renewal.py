"""`cleanplate weights calibrate`: find the ranges of a card's weights and write them there."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Final

from tqdm import tqdm

from models.errors import MattingError
from models.machine import now
from models.quantisation.calibration import calibrate
from models.quantisation.pictures import SHIPPED, frames
from models.quantisation.ranges import MEASURED
from models.weights import Card, find_card, load_network
from models.weights.card import write_card

FEWEST: Final = 2
"""Scenes: one of the best base size and one of a smaller one."""


def renew(
    name: str,
    pictures: Path | None = None,
    scenes: int = 24,
    folders: tuple[Path, ...] | None = None,
) -> Card:
    """The card with ranges, instead of those it had; what was measured with those goes with them.

    Args:
        name: of the card.
        pictures: a folder of people and rooms; the tests' own if not given.
        scenes: made of them.
        folders: where cards are; the operator's and the published ones.

    Raises:
        WeightsError: no such card, or its file is not the card's.
        MattingError: the pictures or their number do not do.
    """
    if scenes < FEWEST:
        raise MattingError(f"--scenes must be at least {FEWEST}")
    card, network = find_card(name, folders), load_network(name, folders)
    made = frames(pictures or SHIPPED, scenes)
    ranges = calibrate(network, list(tqdm(made, "scenes", scenes, leave=False, disable=None)))
    command = ["cleanplate", "weights", "calibrate", name, "--scenes", str(scenes)]
    command += ["--pictures", pictures.name] if pictures else []
    fresh = {"calibrated": {"command": shlex.join(command), "date": now()}}
    table = replace(ranges, made=fresh).table(card.sha256)
    if card.int8.get("ranges") == table["ranges"] and MEASURED in card.int8:
        # The same ranges again: what was measured with them holds.
        table[MEASURED] = card.int8[MEASURED]
    card = replace(card, int8=table)
    write_card(card, card.path.parent / f"{card.name}.toml")
    return card

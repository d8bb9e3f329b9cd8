"""What the examinations of single decisions have in common: the scenes they look at."""

from __future__ import annotations

import argparse
from pathlib import Path

from models.evaluation.command import as_material
from models.evaluation.sets import StillSet


def examined(about: str | None, *, scenes: int) -> tuple[StillSet, int]:
    """Held-back people and rooms at 1280x720 by the command line, and how many of them.

    Args:
        about: what `--help` says.
        scenes: how many, where the command line does not say.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", type=Path, required=True, help="folder with people/ and rooms/")
    parser.add_argument("--scenes", type=int, default=scenes)
    arguments = parser.parse_args()
    people, rooms = as_material("cut-outs=people", "set"), as_material("rooms=rooms", "rooms")
    return StillSet(people, rooms, arguments.data, (720, 1280)), arguments.scenes

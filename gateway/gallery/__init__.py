"""The gallery: backdrops that ship with Cleanplate, painted by the code beside them.

Reading the list needs the standard library only; painting (`python -m gateway.gallery`) needs
numpy and OpenCV.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
PICTURES = FOLDER / "pictures"
LIST = FOLDER / "gallery.toml"


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One shipped backdrop."""

    id: str
    """The stem of its file; what a client names in `PUT /streams/{name}/backdrop`."""
    title: str
    """What people read under the thumbnail."""
    path: Path
    """A JPEG of 1920x1080 pixels."""


@cache
def built_in() -> tuple[BuiltIn, ...]:
    """Every shipped backdrop, in the order people see them."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["backdrop"]
    return tuple(
        BuiltIn(entry["id"], entry["title"], PICTURES / f"{entry['id']}.jpg") for entry in entries
    )

"""Which pictures train, which only examine: by name alone, so that it is the same for everyone."""

from __future__ import annotations

import zlib
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "validation", "test"]


def person_split(stem: str) -> Split:
    """Of a person, or a clip or picture of a public set: one in ten is held back for validation.

    Args:
        stem: the file's name without folder and ending; for a clip stored as a folder of frames,
            the folder's name.
    """
    return "validation" if zlib.crc32(stem.encode()) % 10 == 0 else "train"


def room_split(stem: str) -> Split:
    """Rooms are named `NNN-kind`; all pictures of house NNN are in one split.

    Raises:
        ValueError: the name does not begin with a number.
    """
    return "validation" if int(stem.split("-")[0]) % 10 == 1 else "train"

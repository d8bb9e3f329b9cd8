"""What scenes are made of: people cut out with alpha, and empty rooms; split by file name."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "validation"]
Picture = NDArray[np.uint8]

_PICTURES = {".webp", ".png", ".jpg", ".jpeg"}


def person_split(stem: str) -> Split:
    """A person's split follows from the file name, so that it is the same for everyone."""
    return "validation" if zlib.crc32(stem.encode()) % 10 == 0 else "train"


def room_split(stem: str) -> Split:
    """Rooms are named `NNN-kind`; all pictures of house NNN are in one split."""
    return "validation" if int(stem.split("-")[0]) % 10 == 1 else "train"


def people_files(folder: Path, split: Split) -> list[Path]:
    """RGBA cut-outs of one split, sorted by name.

    Raises:
        FileNotFoundError: there are none.
    """
    return _files(folder, split, person_split, "people cut out as RGBA pictures")


def room_files(folder: Path, split: Split) -> list[Path]:
    """Empty rooms of one split, sorted by name.

    Raises:
        FileNotFoundError: there are none.
    """
    return _files(folder, split, room_split, "pictures of empty rooms named NNN-kind.jpg")


def read_pictures(files: Sequence[Path], channels: Literal[3, 4]) -> list[Picture]:
    """Decode all of them to keep, which costs about 2 MB each and saves the decoder's time."""
    return [read_picture(file, channels) for file in files]


def read_picture(file: Path, channels: Literal[3, 4]) -> Picture:
    """Decode to H x W x `channels`, RGB or RGBA, uint8.

    Raises:
        ValueError: not a picture, or one without alpha where alpha was asked for.
    """
    encoded = np.frombuffer(file.read_bytes(), np.uint8)
    picture = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED if channels == 4 else cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{file} is not a picture that can be read")
    if picture.ndim != 3 or picture.shape[2] != channels:
        raise ValueError(f"{file} has no alpha channel; people must be cut out (RGBA)")
    code = cv2.COLOR_BGRA2RGBA if channels == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(picture, code), dtype=np.uint8)


def _files(folder: Path, split: Split, rule: Callable[[str], Split], what: str) -> list[Path]:
    found = sorted(f for f in folder.glob("*") if f.suffix.lower() in _PICTURES)
    chosen = [f for f in found if rule(f.stem) == split]
    if not chosen:
        raise FileNotFoundError(f"no {what} for {split} in {folder} ({len(found)} pictures there)")
    return chosen

"""Pictures on disk as sequences of arrays, decoded when looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scenes.errors import MaterialUnfit

Picture = NDArray[np.uint8]

ENDINGS: Final = frozenset({".webp", ".png", ".jpg", ".jpeg"})


class Decoded(Sequence[Picture]):
    """Pictures that are decoded every time they are asked for: `len()` of them by `at()`."""

    def at(self, index: int) -> Picture:
        """Decode number `index`, 0 to the last."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Picture]: ...
    def __getitem__(self, index: int | slice) -> Picture | Sequence[Picture]:
        """Decode one, or all of a slice in order; raises `IndexError` outside."""
        count = len(self)
        if isinstance(index, slice):
            return [self.at(each) for each in range(*index.indices(count))]
        if not -count <= index < count:
            raise IndexError(f"picture {index} of {count}")
        return self.at(index % count)


class Pictures(Decoded):
    """`count` pictures, the n-th decoded by `read(n)` every time it is asked for.

    Nothing is kept, so a set may be larger than the memory; can be pickled if `read` can.
    """

    def __init__(self, count: int, read: Callable[[int], Picture]) -> None:
        self._count, self._read = count, read

    def __len__(self) -> int:
        return self._count

    def at(self, index: int) -> Picture:
        """Decode number `index`."""
        return self._read(index)


def pictures_in(folder: Path, *, deep: bool) -> list[Path]:
    """The pictures of a folder, sorted; with `deep`, also those of its folders."""
    found = folder.rglob("*") if deep else folder.glob("*")
    return sorted(file for file in found if file.suffix.lower() in ENDINGS)


def read_rgb(file: Path) -> Picture:
    """Decode to H x W x 3.

    Raises:
        MaterialUnfit: not a picture.
    """
    return _as_uint8(cv2.cvtColor(_decoded(file, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))


def read_rgba(file: Path) -> Picture:
    """Decode to H x W x 4, straight alpha.

    Raises:
        MaterialUnfit: not a picture, or one without alpha.
    """
    picture = _decoded(file, cv2.IMREAD_UNCHANGED)
    if picture.ndim != 3 or picture.shape[2] != 4:
        raise MaterialUnfit(f"{file} has no alpha channel; people must be cut out (RGBA)")
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    return _as_uint8(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA))


def read_grey(file: Path) -> Picture:
    """Decode to H x W; a coloured alpha becomes its luma.

    Raises:
        MaterialUnfit: not a picture.
    """
    return _as_uint8(_decoded(file, cv2.IMREAD_GRAYSCALE))


def read_pair(foreground: Path, alpha: Path) -> Picture:
    """Colours and alpha of two files as H x W x 4.

    Raises:
        MaterialUnfit: one is not a picture, or they differ in size.
    """
    return joined(read_rgb(foreground), read_grey(alpha), foreground, alpha)


def joined(colours: Picture, alpha: Picture, first: object, second: object) -> Picture:
    """H x W x 3 and H x W as H x W x 4; `first` and `second` name them should they not fit."""
    if colours.shape[:2] != alpha.shape[:2]:
        sizes = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (colours, alpha))
        raise MaterialUnfit(f"{first} and {second} differ in size ({sizes}); export them again")
    return np.dstack([colours, alpha])


def read_picture(file: Path, channels: Literal[3, 4]) -> Picture:
    """Decode to H x W x `channels`, RGB or RGBA."""
    return read_rgba(file) if channels == 4 else read_rgb(file)


def _decoded(file: Path, flags: int) -> NDArray[Any]:
    encoded = np.frombuffer(file.read_bytes(), np.uint8)
    picture = cv2.imdecode(encoded, flags) if encoded.size else None
    if picture is None:
        raise MaterialUnfit(f"{file} is not a picture that can be read; fetch it again")
    return picture


def _as_uint8(picture: NDArray[Any]) -> Picture:
    # For the type checker: OpenCV's stubs do not know their dtypes.
    return np.asarray(picture, dtype=np.uint8)

"""The result of keying: `fgr` and `pha`, two trees of equal structure, as the public sets have.

Nothing half written is ever in them: everything is made in `.unfinished-*` beside them and moved
when it is whole, so that what is done can be told by looking.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import PictureError
from models.preparation.clip_files import ClipFiles

Pixels = NDArray[np.uint8]
Halves = tuple[Path, Path]

ClipsAs = Literal["video", "frames"]
PicturesAs = Literal["png", "jpg"]

UNFINISHED: Final = ".unfinished-"
"""Start of a folder's name; each writer has its own, so that several may run at once."""


class ClipWriter(Protocol):
    """Takes the frames of one clip in order."""

    def write(self, foreground: Pixels, alpha: Pixels) -> None:
        """One frame: foreground H x W x 3 RGB, alpha H x W."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Where pairs go."""

    root: Path
    """Will hold `fgr` and `pha`."""
    clips: ClipsAs = "video"
    pictures: PicturesAs = "png"
    """Of foregrounds; alpha is PNG in any case."""

    def has(self, name: str, *, clip: bool) -> bool:
        """Whether both halves of a picture or clip are done."""
        return all(half.exists() for half in self._halves(self.root, name, clip=clip))

    def write_picture(self, name: str, foreground: Pixels, alpha: Pixels) -> None:
        """One pair: foreground H x W x 3 RGB, alpha H x W.

        Raises:
            PictureError: the folder cannot be written.
        """
        with self._halves_to_fill(name, clip=False) as halves:
            _write_pair(halves, foreground, alpha)

    @contextlib.contextmanager
    def write_clip(self, name: str, rate: Fraction) -> Iterator[ClipWriter]:
        """A clip of `rate` frames a second; it appears when the block ends without error.

        Raises:
            PictureError: the folder cannot be written.
        """
        with self._halves_to_fill(name, clip=True) as halves:
            if self.clips == "frames":
                yield _Frames(halves, self.pictures)
            else:
                with ClipFiles(*halves, rate) as files:
                    yield files

    def _halves(self, root: Path, name: str, *, clip: bool) -> Halves:
        if clip and self.clips == "frames":
            return root / "fgr" / name, root / "pha" / name
        # Not with_suffix: names may hold dots.
        endings = ("mp4", "mp4") if clip else (self.pictures, "png")
        return root / "fgr" / f"{name}.{endings[0]}", root / "pha" / f"{name}.{endings[1]}"

    @contextlib.contextmanager
    def _halves_to_fill(self, name: str, *, clip: bool) -> Iterator[Halves]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            waiting = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.root))
        except OSError as error:
            raise PictureError(f"{self.root} cannot be written: {error}") from error
        halves = self._halves(waiting, name, clip=clip)
        places = self._halves(self.root, name, clip=clip)
        try:
            for path in (*halves, *places):
                path.parent.mkdir(parents=True, exist_ok=True)
            yield halves
            for half, place in zip(halves, places, strict=True):
                if place.is_dir():
                    shutil.rmtree(place)
                half.replace(place)
        except OSError as error:
            raise PictureError(f"{self.root} cannot be written: {error}") from error
        finally:
            shutil.rmtree(waiting, ignore_errors=True)


class _Frames:
    """A clip as two folders of numbered pictures."""

    def __init__(self, halves: Halves, pictures: PicturesAs) -> None:
        self._halves, self._pictures, self._count = halves, pictures, 0
        for half in halves:
            half.mkdir(parents=True)

    def write(self, foreground: Pixels, alpha: Pixels) -> None:
        name = f"{self._count:05}"
        colours, alphas = self._halves
        _write_pair(
            (colours / f"{name}.{self._pictures}", alphas / f"{name}.png"), foreground, alpha
        )
        self._count += 1


def _write_pair(halves: Halves, foreground: Pixels, alpha: Pixels) -> None:
    bgr = np.asarray(cv2.cvtColor(foreground, cv2.COLOR_RGB2BGR), dtype=np.uint8)
    for file, pixels in zip(halves, (bgr, alpha), strict=True):
        # Full chroma: half of it would bring the screen's colour back to the edges.
        finely = [
            cv2.IMWRITE_JPEG_QUALITY, 97,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ]  # fmt: skip
        options = finely if file.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 3]
        _, encoded = cv2.imencode(file.suffix, pixels, options)
        file.write_bytes(encoded.tobytes())

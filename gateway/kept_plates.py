"""The store of kept plates: empty scenes with a name, for cameras that return.

A plate shows somebody's room. Its name suffices to be seen before it, as nobody sees anything of it
until a camera shows that very room; looking at it takes the key of who made it, of which only the
digest is kept. Methods that read, decode or write pictures say so: call them in a thread.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from gateway.access import same
from gateway.grants import NAME
from gateway.settings import SettingsError

logger = logging.getLogger(__name__)

OWNER: Final = "Cleanplate-Owner"
KEPT: Final = "Cleanplate-Kept"
"""Text in the PNG. One file, so that a crash never leaves a picture beside another's owner."""


UNFINISHED: Final = ".keeping-"
"""What a crash leaves begins so; it shows a room, and is removed at the next start."""


class UnknownPlate(Exception):
    """Nothing is kept under this name."""


class PlateTaken(Exception):
    """The name is somebody else's."""


class TooManyPlates(Exception):
    """The store is full; nothing is dropped for another, as its camera would not be seen again."""


class KeepingFailed(Exception):
    """The operator's: the folder cannot be written to."""


def digest(key: str) -> str:
    """What is kept of a key, which holds 128 bits of chance: no salt, no slowness is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class KeptPlate:
    """One plate; does not change."""

    name: str
    owner: str
    """Digest of the key that opens the picture."""
    kept: int
    """Seconds since 1970."""
    width: int
    height: int
    place: bytes | Path
    """Of the PNG file."""

    def opened_by(self, key: str) -> bool:
        """Whether `key` shows the picture."""
        return same(digest(key), self.owner)

    def png(self) -> bytes:
        """The picture file; may read. Raises `UnknownPlate` if the file is gone."""
        if isinstance(self.place, bytes):
            return self.place
        try:
            return self.place.read_bytes()
        except OSError as error:
            raise UnknownPlate(self.name) from error

    def rgb(self) -> NDArray[np.uint8]:
        """H x W x 3; reads and decodes. Raises `UnknownPlate` if the file is gone or damaged."""
        try:
            with Image.open(io.BytesIO(self.png()), formats=["PNG"]) as image:
                return np.asarray(image.convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            raise UnknownPlate(self.name) from error


class KeptPlates:
    """All of them; safe to use from several threads."""

    def __init__(self, folder: Path | None, most: int) -> None:
        """In memory only without a `folder`; else what lies there is found again.

        Raises `SettingsError` for a folder that cannot be made or read.
        """
        self._folder = folder
        self._most = most
        self._plates: dict[str, KeptPlate] = {}
        self._changing = threading.Lock()
        """Held while files change; who only looks never waits for it."""
        if folder is None:
            return
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in folder.glob(f"{UNFINISHED}*"):
                path.unlink()
            for path in folder.glob("*.png"):
                if (plate := _read(path)) is not None:
                    self._plates[plate.name] = plate
        except OSError as error:
            raise SettingsError(f"plates_folder: {folder}: {error.strerror}") from error

    def all(self) -> list[KeptPlate]:
        """By name."""
        return sorted(self._plates.copy().values(), key=lambda plate: plate.name)

    def find(self, name: str) -> KeptPlate:
        """Raises `UnknownPlate`."""
        try:
            return self._plates[name]
        except KeyError:
            raise UnknownPlate(name) from None

    def keep(
        self,
        name: str,
        rgb: NDArray[np.uint8],
        owner: str,
        may_replace: Callable[[KeptPlate], bool],
    ) -> tuple[KeptPlate, bool]:
        """Encode and write a plate; also returns whether the name is new.

        `may_replace` is asked about what has the `name`, which must match `NAME`. Raises
        `PlateTaken`, `TooManyPlates` or `KeepingFailed`.
        """
        # No dot, no slash: it names a file.
        assert NAME.fullmatch(name)
        height, width = rgb.shape[:2]
        kept = int(time.time())
        png = _encode(rgb, owner, kept)
        with self._changing:
            old = self._plates.get(name)
            if old is not None and not may_replace(old):
                raise PlateTaken(name)
            if old is None and len(self._plates) >= self._most:
                raise TooManyPlates
            place = png if self._folder is None else _write(self._folder / f"{name}.png", png)
            plate = self._plates[name] = KeptPlate(name, owner, kept, width, height, place)
        return plate, old is None

    def remove(self, plate: KeptPlate) -> None:
        """Forget it, unless it was replaced meanwhile; deletes. Raises `KeepingFailed`."""
        with self._changing:
            if self._plates.get(plate.name) is not plate:
                return
            if isinstance(plate.place, Path):
                try:
                    plate.place.unlink(missing_ok=True)
                except OSError as error:
                    raise KeepingFailed(f"{plate.place}: {error.strerror}") from error
            del self._plates[plate.name]


def _encode(rgb: NDArray[np.uint8], owner: str, kept: int) -> bytes:
    about = PngImagePlugin.PngInfo()
    about.add_text(OWNER, owner)
    about.add_text(KEPT, str(kept))
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=3, pnginfo=about)
    return buffer.getvalue()


def _write(path: Path, png: bytes) -> Path:
    """Whole or not at all, and readable by nobody else on this machine."""
    try:
        handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)  # with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(png)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise KeepingFailed(f"{path}: {error.strerror}") from error
    return path


def _read(path: Path) -> KeptPlate | None:
    """What a file of the folder is; `None`, with a word to the operator, if not a kept plate."""
    try:
        if not NAME.fullmatch(path.stem):
            raise ValueError("no name of a plate")
        with Image.open(path, formats=["PNG"]) as image:
            about = image.info
            return KeptPlate(
                path.stem, str(about[OWNER]), int(about[KEPT]), image.width, image.height, path
            )
    except (OSError, ValueError, SyntaxError, KeyError) as error:
        logger.warning("%s is not a plate that was kept here: %r", path, error)
        return None

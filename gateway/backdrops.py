"""The store of backdrop pictures: the gallery that ships with us and what people upload.

Uploads live in memory, known only to whoever holds their random id, and the longest unused one
makes room for the next. Methods decode and encode pictures: call them in a thread.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.events import BackdropChoice, BlurChoice, ColourChoice, PictureChoice
from gateway.gallery import BuiltIn
from gateway.pictures import (
    PictureLimits,
    decode_own_jpeg,
    decode_picture,
    encode_jpeg,
    thumbnail,
)
from gateway.settings import SettingsError
from models.backdrop import Backdrop, Blur, Colour, Picture, Transparent

UPLOAD_TITLE: Final = "Upload"


class UnknownBackdrop(Exception):
    """There is no picture with this id."""


class NotYours(Exception):
    """A picture of the gallery cannot be deleted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture of the store."""

    id: str
    title: str
    built_in: bool


def check_default(preferred: str | None, gallery: tuple[BuiltIn, ...]) -> None:
    """Raises `SettingsError` for a preferred picture that the gallery does not have."""
    known = [picture.id for picture in gallery]
    if preferred and preferred not in known:
        raise SettingsError(
            f"default_backdrop: the gallery has no {preferred!r}, only "
            f"{', '.join(known) or 'nothing at all'}"
        )


class Backdrops:
    """All pictures that streams may use; safe to use from several threads."""

    def __init__(self, gallery: tuple[BuiltIn, ...], limits: PictureLimits, uploads: int) -> None:
        self._gallery = {picture.id: picture for picture in gallery}
        self._limits = limits
        self._most = uploads
        self._uploads: OrderedDict[str, bytes] = OrderedDict()
        self._thumbnails: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def entries(self) -> list[Entry]:
        """The gallery; uploads are not listed to anybody."""
        return [Entry(picture.id, picture.title, True) for picture in self._gallery.values()]

    def first(self, preferred: str | None) -> BackdropChoice:
        """What a new stream begins with: the preferred picture, else the first, else grey.

        The preferred one is there: `check_default` has seen to it.
        """
        if preferred:
            return PictureChoice(id=preferred)
        return next((PictureChoice(id=name) for name in self._gallery), ColourChoice(rgb="#202226"))

    def has(self, name: str) -> bool:
        """Whether the gallery ships this picture."""
        return name in self._gallery

    def require(self, choice: BackdropChoice | None) -> None:
        """Raises `UnknownBackdrop` for a picture that is not there; decodes nothing."""
        if isinstance(choice, PictureChoice) and not self.has(choice.id):
            with self._lock:
                if choice.id not in self._uploads:
                    raise UnknownBackdrop(choice.id)

    def add(self, data: bytes) -> Entry:
        """Check, decode and re-encode an upload; raises `gateway.pictures.BadPicture`."""
        jpeg = encode_jpeg(decode_picture(data, self._limits))
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._uploads[name] = jpeg
            while len(self._uploads) > self._most:
                oldest, _ = self._uploads.popitem(last=False)
                self._thumbnails.pop(oldest, None)
        return Entry(name, UPLOAD_TITLE, False)

    def jpeg(self, name: str) -> bytes:
        """The picture file; raises `UnknownBackdrop`."""
        if name in self._gallery:
            return self._gallery[name].path.read_bytes()
        with self._lock:
            if name not in self._uploads:
                raise UnknownBackdrop(name)
            self._uploads.move_to_end(name)
            return self._uploads[name]

    def thumbnail(self, name: str) -> bytes:
        """A small version of the picture; raises `UnknownBackdrop`."""
        jpeg = self.jpeg(name)
        with self._lock:
            known = self._thumbnails.get(name)
        if known is None:
            known = thumbnail(jpeg)
            with self._lock:
                if name in self._gallery or name in self._uploads:
                    self._thumbnails[name] = known
        return known

    def remove(self, name: str) -> None:
        """Forget an upload; raises `NotYours` or `UnknownBackdrop`."""
        if name in self._gallery:
            raise NotYours(name)
        with self._lock:
            if self._uploads.pop(name, None) is None:
                raise UnknownBackdrop(name)
            self._thumbnails.pop(name, None)

    def resolve(self, choice: BackdropChoice) -> Backdrop:
        """The backdrop an engine understands; raises `UnknownBackdrop`."""
        if isinstance(choice, PictureChoice):
            return Picture(self._rgb(choice.id))
        if isinstance(choice, ColourChoice):
            red, green, blue = bytes.fromhex(choice.rgb[1:])
            return Colour(red, green, blue)
        if isinstance(choice, BlurChoice):
            return Blur(choice.radius)
        return Transparent()

    def _rgb(self, name: str) -> NDArray[np.uint8]:
        return decode_own_jpeg(self.jpeg(name))

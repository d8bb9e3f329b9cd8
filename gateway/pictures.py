"""Pictures that people send and get: checked before they are decoded, re-encoded before use.

Everything here takes milliseconds or more: call it in a thread.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

FORMATS: Final = ("JPEG", "PNG", "WEBP")
"""Pillow is allowed no other decoder."""

LONG_SIDE: Final = 1920
"""Pixels to which larger pictures are reduced; frames are at most a little larger."""

THUMBNAIL: Final = (320, 180)


class BadPicture(Exception):
    """The caller's picture cannot be used; `status` is the HTTP status that says so."""

    def __init__(self, reason: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.status = reason, detail, status


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a picture may cost."""

    size: int
    """Bytes of the file."""
    pixels: int


def recognise(data: bytes) -> str:
    """The format by its first bytes, never by name or declared type; raises `BadPicture`."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    raise BadPicture("picture-type", "The file is not a JPEG, PNG or WebP picture.", 415)


def decode_picture(data: bytes, limits: PictureLimits) -> NDArray[np.uint8]:
    """H x W x 3 RGB, upright, the long side at most `LONG_SIDE`; raises `BadPicture`."""
    if len(data) > limits.size:
        raise BadPicture("picture-size", f"The file is larger than {limits.size} bytes.", 413)
    kind = recognise(data)
    try:
        # Opening reads the header only.
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            if image.width * image.height > limits.pixels:
                raise BadPicture(
                    "picture-pixels",
                    f"The picture has {image.width} x {image.height} pixels, "
                    f"at most {limits.pixels} in all are taken.",
                    413,
                )
            image.draft("RGB", (LONG_SIDE, LONG_SIDE))
            upright = ImageOps.exif_transpose(image)
            rgb = _opaque(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture("picture-pixels", "The picture has too many pixels.", 413) from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, LookupError) as error:
        # What Pillow's decoders raise on damaged files.
        raise BadPicture("picture-damaged", f"The {kind} picture cannot be decoded.") from error
    rgb.thumbnail((LONG_SIDE, LONG_SIDE))
    return np.asarray(rgb)


def _opaque(image: Image.Image) -> Image.Image:
    if "A" in image.getbands() or "transparency" in image.info:
        # Black, not what happens to lie under transparent pixels.
        ground = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def encode_jpeg(rgb: NDArray[np.uint8], quality: int = 88) -> bytes:
    """Without any metadata."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(rgb: NDArray[np.uint8]) -> bytes:
    """Without loss: a plate that is sent back must be the same plate."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def decode_own_jpeg(data: bytes) -> NDArray[np.uint8]:
    """A picture that this module or the gallery encoded."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        return np.asarray(image.convert("RGB"))


def thumbnail(jpeg: bytes) -> bytes:
    """A picture of ours, cut to `THUMBNAIL`."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        image.draft("RGB", (THUMBNAIL[0] * 2, THUMBNAIL[1] * 2))
        small = ImageOps.fit(image.convert("RGB"), THUMBNAIL)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()

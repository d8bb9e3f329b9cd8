"""Trimaps: where a photo surely shows the person, surely does not, and where nobody knows yet."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import PictureError

Pixels = NDArray[np.uint8]

UNKNOWN: Final = 128
BAND: Final = 1 / 50
"""Width of the unknown band on either side of a mask's edge, as share of the long side; loose hair
is about that long on a portrait."""


def clear_trimap(drawn: Pixels) -> Pixels:
    """A drawn trimap with its three values made exact: 0, 128 and 255.

    Args:
        drawn: H x W; up to a tenth off black or white counts as such, for soft brushes and JPEG.

    Raises:
        PictureError: nothing is surely the person, nothing surely not, or nothing is unknown.
    """
    trimap = np.full_like(drawn, UNKNOWN)
    trimap[drawn < 26] = 0
    trimap[drawn > 229] = 255
    for value, meaning, colour in ((255, "the person", "white"), (0, "not the person", "black")):
        if not (trimap == value).any():
            raise PictureError(
                f"the trimap is nowhere {colour}: paint {colour} what is surely {meaning}, and "
                "leave grey only the band around hair and edges"
            )
    if not (trimap == UNKNOWN).any():
        raise PictureError(
            "the trimap has no grey: paint grey the band around hair and edges, or give it as a "
            "mask with --mask"
        )
    return trimap


def trimap_from_mask(mask: Pixels, band: int | None = None) -> Pixels:
    """A trimap from a rough mask: its edge becomes a band in which alpha is to be found.

    Args:
        mask: H x W, above 127 is the person.
        band: pixels on either side of the edge; `BAND` of the long side if not given.

    Returns:
        H x W of 0, 128 and 255. The picture's own edge has no band: there the person goes on.

    Raises:
        PictureError: the mask is empty or full, or nothing remains of it inside the band.
    """
    person = (mask > 127).astype(np.uint8)
    if person.all() or not person.any():
        raise PictureError(
            f"the mask is {'white' if person.any() else 'black'} everywhere: it must be white on "
            "the person and black elsewhere"
        )
    reach = max(1, round(BAND * max(mask.shape))) if band is None else band
    if reach < 1:
        raise PictureError(f"a band of {reach} pixels leaves nothing to find: give 1 or more")
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inside, outside = cv2.erode(person, disc), cv2.dilate(person, disc)
    if not inside.any() or outside.all():
        raise PictureError(
            f"the band of {reach} pixels swallows the {'person' if outside.any() else 'scene'} "
            "whole: give a smaller --band"
        )
    trimap = np.where(outside > 0, UNKNOWN, 0)
    trimap[inside > 0] = 255
    return trimap.astype(np.uint8)

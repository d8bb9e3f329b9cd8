"""A backdrop as a whole frame, made without an engine: what watchers see when it fails."""

from __future__ import annotations

import numpy as np
from av import VideoFrame

from gateway.planar_frame import to_i420
from models.backdrop import KEYING_GREEN, Backdrop, Colour, Picture, Transparent
from models.report import I420

NEUTRAL = Colour(32, 34, 38)
"""Stands in for a blurred scene: blurring needs the plate, and that is the engine's."""


def colour_frame(colour: Colour, width: int, height: int) -> I420:
    """One flat colour in BT.601, limited range."""
    red, green, blue = colour.red / 255, colour.green / 255, colour.blue / 255
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    frame = np.empty((height * 3 // 2, width), np.uint8)
    chroma = frame[height:].reshape(-1)
    half = chroma.size // 2
    frame[:height] = round(16 + 219 * luma)
    chroma[:half] = round(128 + 224 * (blue - luma) / 1.772)
    chroma[half:] = round(128 + 224 * (red - luma) / 1.402)
    return frame


def picture_frame(picture: Picture, width: int, height: int) -> I420:
    """The picture scaled to cover the frame, cropped around its centre."""
    rgb = picture.rgb
    rows, columns = rgb.shape[:2]
    scale = max(width / columns, height / rows)
    # The part of the picture that the frame shows, never beyond its edges.
    seen_columns = min(columns, max(1, round(width / scale)))
    seen_rows = min(rows, max(1, round(height / scale)))
    left, top = (columns - seen_columns) // 2, (rows - seen_rows) // 2
    seen = np.ascontiguousarray(rgb[top : top + seen_rows, left : left + seen_columns])
    frame = VideoFrame.from_ndarray(seen, format="rgb24")
    return to_i420(frame.reformat(width=width, height=height, format="yuv420p"))


def backdrop_frame(backdrop: Backdrop, width: int, height: int) -> I420:
    """The backdrop alone at an even size; milliseconds for pictures, so call it in a thread."""
    if isinstance(backdrop, Picture):
        return picture_frame(backdrop, width, height)
    if isinstance(backdrop, Colour):
        return colour_frame(backdrop, width, height)
    return colour_frame(
        KEYING_GREEN if isinstance(backdrop, Transparent) else NEUTRAL, width, height
    )

"""The three planes of a picture, from a frame that decoders give to one that encoders take."""

from __future__ import annotations

import numpy as np
from av import VideoFrame

from models.report import I420


def planar_frame(pixels: I420) -> VideoFrame:
    """A frame of its own around the same pixels; a copy where its height is no multiple of four.

    There `from_numpy_buffer` of PyAV 18.1 counts two rows too few, and finds the colours where the
    last two rows are: watchers would see a green strip on top and every colour displaced. Browsers
    step down to such sizes (480x270), and so does the governor.
    """
    whole = pixels.shape[0] % 6 == 0
    wrap = VideoFrame.from_numpy_buffer if whole else VideoFrame.from_ndarray
    return wrap(pixels, format="yuv420p")


def to_i420(frame: VideoFrame) -> I420:
    """Planes of a decoded frame, cropped to an even size."""
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p")
    if frame.width % 2 == 0 and frame.height % 2 == 0:
        return frame.to_ndarray()  # type: ignore[return-value]  # typed for all pixel formats
    width, height = frame.width // 2 * 2, frame.height // 2 * 2
    cropped = np.empty((height * 3 // 2, width), np.uint8)
    chroma = cropped[height:].reshape(2, height // 2, width // 2)
    for plane, target in zip(frame.planes, (cropped[:height], *chroma), strict=True):
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        target[:] = lines[: target.shape[0], : target.shape[1]]
    return cropped

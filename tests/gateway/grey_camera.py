"""A camera whose picture is known pixel by pixel."""

import asyncio
import time

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from aiortc.mediastreams import VIDEO_TIME_BASE
from av import VideoFrame

ROOM = 128
"""Luma of the empty scene: a grey wall."""
PERSON = 220
"""Luma of whoever stands before it."""
BLACK = 16
"""Luma of the colour #000000."""


class GreyCamera(MediaStreamTrack):
    """A grey wall, and a bright block in the middle while somebody stands there."""

    kind = "video"

    def __init__(self, width: int = 320, height: int = 240, fps: float = 30) -> None:
        super().__init__()
        self.width, self.height, self.fps = width, height, fps
        self.person = False
        self.luma = ROOM
        self.bright = PERSON
        self.sent = 0
        self._began: float | None = None

    async def recv(self) -> VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if self._began is None:
            self._began = time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self.sent / self.fps - time.monotonic()))
        pixels = np.full((self.height * 3 // 2, self.width), 128, np.uint8)
        pixels[: self.height] = self.luma
        if self.person:
            h, w = self.height, self.width
            pixels[h // 4 : h * 3 // 4, w // 4 : w * 3 // 4] = self.bright
        frame = VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts = int(self.sent * 90000 / self.fps)
        frame.time_base = VIDEO_TIME_BASE
        self.sent += 1
        return frame

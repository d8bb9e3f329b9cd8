"""Cameras whose pictures are computed, in the time of a real one."""

import asyncio
import time
from abc import abstractmethod

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from aiortc.mediastreams import VIDEO_TIME_BASE
from av import VideoFrame


class PacedCamera(MediaStreamTrack):
    """Shows `picture` at an even rate; with `person` set, somebody is in it."""

    kind = "video"

    def __init__(self, fps: float) -> None:
        super().__init__()
        self.fps = fps
        self.person = False
        self.sent = 0
        self._began: float | None = None

    @abstractmethod
    async def picture(self) -> np.ndarray:
        """The next frame, I420: (3H/2) x W."""

    async def recv(self) -> VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if self._began is None:
            self._began = time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self.sent / self.fps - time.monotonic()))
        frame = VideoFrame.from_ndarray(await self.picture(), format="yuv420p")
        frame.pts = int(self.sent * 90000 / self.fps)
        frame.time_base = VIDEO_TIME_BASE
        self.sent += 1
        return frame

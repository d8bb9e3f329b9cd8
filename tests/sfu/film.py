"""A camera whose person comes when the test says so: the clip of tests/browser, held in memory."""

import asyncio
import time
from functools import cache

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from aiortc.mediastreams import VIDEO_TIME_BASE
from av import VideoFrame
from numpy.typing import NDArray

from gateway.gallery import built_in
from tests.browser.camera_clip import CameraClip
from tests.browser.likeness import covering, load

CLIP = CameraClip(width=640, height=360, fps=15, empty=2.0, present=4.0)
"""Small, because two cores run the gateway, an SFU and everybody's encoders."""
HILLS = next(each for each in built_in() if each.id == "hills")
"""A backdrop of the gallery, unlike the room."""


@cache
def frames() -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """The empty room, and one turn of the person's swaying: I420, (3H/2) x W each."""
    exposed = list(CLIP.exposures())
    empty = [each for index, each in enumerate(exposed) if CLIP.phase(index) == "empty"]
    return empty, exposed[CLIP.standing.start : CLIP.standing.stop]


@cache
def hills() -> NDArray[np.uint8]:
    """What is to be seen behind the person: H x W x 3."""
    return covering(load(HILLS.path), CLIP.width, CLIP.height)


class FilmCamera(MediaStreamTrack):
    """The empty room; with `person` set, somebody stands in it."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.person = False
        self._sent = 0
        self._began: float | None = None

    def picture(self) -> NDArray[np.uint8]:
        """The next frame, I420."""
        turn = frames()[self.person]
        self._sent += 1
        return turn[self._sent % len(turn)]

    async def recv(self) -> VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if self._began is None:
            self._began = time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._sent / CLIP.fps - time.monotonic()))
        frame = VideoFrame.from_ndarray(self.picture(), format="yuv420p")
        frame.pts = int(self._sent * 90000 / CLIP.fps)
        frame.time_base = VIDEO_TIME_BASE
        return frame

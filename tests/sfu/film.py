"""A camera whose person comes when the test says so: the clip of tests/browser, held in memory."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from gateway.gallery import built_in
from tests.browser.camera_clip import CameraClip
from tests.browser.likeness import covering, load
from tests.gateway.paced_camera import PacedCamera

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


class FilmCamera(PacedCamera):
    """The empty room; with `person` set, somebody stands in it."""

    def __init__(self) -> None:
        super().__init__(CLIP.fps)

    async def picture(self) -> NDArray[np.uint8]:
        turn = frames()[self.person]
        return turn[self.sent % len(turn)]

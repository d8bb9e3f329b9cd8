"""A camera whose picture is known pixel by pixel."""

import numpy as np

from tests.gateway.paced_camera import PacedCamera

ROOM = 128
"""Luma of the empty scene: a grey wall."""
PERSON = 220
"""Luma of whoever stands before it."""
BLACK = 16
"""Luma of the colour #000000."""


class GreyCamera(PacedCamera):
    """A grey wall, and a bright block in the middle while somebody stands there."""

    def __init__(self, width: int = 320, height: int = 240, fps: float = 30) -> None:
        super().__init__(fps)
        self.width, self.height = width, height
        self.luma = ROOM
        self.bright = PERSON

    async def picture(self) -> np.ndarray:
        pixels = np.full((self.height * 3 // 2, self.width), 128, np.uint8)
        pixels[: self.height] = self.luma
        if self.person:
            h, w = self.height, self.width
            pixels[h // 4 : h * 3 // 4, w // 4 : w * 3 // 4] = self.bright
        return pixels

"""A video that is work for an encoder."""

from fractions import Fraction

import numpy as np
from av import VideoFrame

WIDTH, HEIGHT = 320, 192


class Clip:
    """A texture that moves and noise that does not compress."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        random = np.random.default_rng(1)
        blocks = random.integers(40, 200, (height // 8, width // 8), np.uint8)
        self.texture = np.kron(blocks, np.ones((8, 8), np.uint8))
        self.noise = random.integers(0, 40, (height, width), np.uint8)

    def frame(self, number: int, seconds: float) -> VideoFrame:
        height, width = self.texture.shape
        pixels = np.full((height * 3 // 2, width), 128, np.uint8)
        pixels[:height] = np.roll(self.texture, 3 * number, 1) + np.roll(self.noise, 7 * number, 0)
        frame = VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts, frame.time_base = round(seconds * 90000), Fraction(1, 90000)
        return frame

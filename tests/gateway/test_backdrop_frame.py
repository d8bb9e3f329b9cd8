import numpy as np
import pytest
from av import VideoFrame

from gateway.backdrop_frame import NEUTRAL, backdrop_frame
from models.backdrop import KEYING_GREEN, Backdrop, Blur, Colour, Picture, Transparent


def rgb_of(pixels: np.ndarray) -> np.ndarray:
    return VideoFrame.from_ndarray(pixels, format="yuv420p").to_ndarray(format="rgb24")


@pytest.mark.parametrize(
    ("backdrop", "expected"),
    [
        (Colour(255, 0, 0), (255, 0, 0)),
        (Colour(12, 130, 240), (12, 130, 240)),
        (Transparent(), (KEYING_GREEN.red, KEYING_GREEN.green, KEYING_GREEN.blue)),
        (Blur(20), (NEUTRAL.red, NEUTRAL.green, NEUTRAL.blue)),
        (Picture(np.full((7, 9, 3), 99, np.uint8)), (99, 99, 99)),
    ],
)
def test_every_backdrop_can_be_shown_without_an_engine(
    backdrop: Backdrop, expected: tuple[int, int, int]
):
    pixels = backdrop_frame(backdrop, 64, 48)
    assert pixels.shape == (72, 64)
    assert pixels.dtype == np.uint8
    assert np.abs(rgb_of(pixels)[24, 32].astype(int) - expected).max() <= 5


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (16, 16), (1920, 1080)])
def test_a_picture_covers_the_frame_around_its_centre(size: tuple[int, int]):
    rgb = np.zeros((100, 300, 3), np.uint8)
    rgb[:, 140:160] = 255
    width, height = size
    shown = rgb_of(backdrop_frame(Picture(rgb), width, height))
    assert shown.shape == (height, width, 3)
    assert shown[height // 2, width // 2].mean() > 230
    assert shown[height // 2, 1].mean() < 40

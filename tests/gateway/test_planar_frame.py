import numpy as np
import pytest

from gateway.planar_frame import planar_frame

SIZES = [(640, 360), (480, 270), (800, 450), (642, 362), (16, 18), (16, 2)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_pixel_of_every_even_size_is_where_it_was(width: int, height: int):
    pixels = np.random.default_rng(0).integers(0, 256, (height * 3 // 2, width), np.uint8)

    frame = planar_frame(pixels)

    assert (frame.width, frame.height) == (width, height)
    assert (frame.to_ndarray() == pixels).all()


def test_two_frames_of_the_same_pixels_are_marked_apart():
    # Each encoder writes into its frame whether it wants a key frame.
    pixels = np.zeros((24, 16), np.uint8)
    one, other = planar_frame(pixels), planar_frame(pixels)
    one.pts = 1
    assert other.pts is None

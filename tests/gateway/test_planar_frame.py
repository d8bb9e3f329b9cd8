import numpy as np
import pytest
from av import VideoFrame

from gateway.planar_frame import planar_frame, to_i420

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


@pytest.mark.parametrize("size", [(321, 240), (320, 241), (321, 241), (17, 17)])
def test_odd_sizes_lose_their_last_row_or_column(size: tuple[int, int]):
    width, height = size
    frame = VideoFrame(width, height, "yuv420p")
    for number, plane in enumerate(frame.planes):
        lines = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        lines[:] = (np.arange(plane.line_size) + number) % 256
        plane.update(lines.tobytes())
    pixels = to_i420(frame)
    even_width, even_height = width // 2 * 2, height // 2 * 2
    assert pixels.shape == (even_height * 3 // 2, even_width)
    assert (pixels[0] == np.arange(even_width) % 256).all()
    blue = pixels[even_height:].reshape(2, even_height // 2, even_width // 2)[0]
    assert (blue[0] == (np.arange(even_width // 2) + 1) % 256).all()


def test_even_sizes_pass_bit_for_bit():
    pixels = np.random.default_rng(1).integers(0, 256, (72, 64), np.uint8)
    assert (to_i420(VideoFrame.from_ndarray(pixels, format="yuv420p")) == pixels).all()

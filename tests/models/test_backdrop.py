"""Backdrops are plain data that refuses nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from models.backdrop import Blur, Colour, Picture
from models.errors import PictureError


def test_a_picture_must_be_eight_bit_rgb():
    Picture(np.zeros((2, 3, 3), np.uint8))
    for wrong in (np.zeros((2, 3), np.uint8), np.zeros((2, 3, 3)), np.zeros((0, 3, 3), np.uint8)):
        with pytest.raises(PictureError, match="picture must"):
            Picture(wrong)


def test_a_colour_must_fit_into_bytes():
    with pytest.raises(PictureError, match=r"0\.\.255"):
        Colour(0, 256, 0)


def test_a_blur_radius_must_be_reasonable():
    for radius in (-1.0, 1e6, float("nan")):
        with pytest.raises(PictureError, match="radius"):
            Blur(radius)

"""Backdrops cover the frame, blur only the plate, and mix with the person by alpha."""

from __future__ import annotations

import numpy as np
import pytest

from models.backdrop import Blur, Colour, Picture, Transparent
from models.compositing import NO_SCENE, blur, compose, cover, paint_backdrop


def test_a_wide_picture_is_cropped_around_its_centre():
    picture = np.zeros((10, 40, 3), np.uint8)
    picture[:, 15:25] = 255
    assert (cover(picture, 20, 20) > 250).all()


def test_a_tall_picture_is_cropped_around_its_centre():
    picture = np.zeros((90, 16, 3), np.uint8)
    picture[40:49] = 255
    assert (cover(picture, 9, 16) > 250).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (3000, 2)])
def test_any_picture_covers_any_frame(size: tuple[int, int]):
    assert cover(np.zeros((*size, 3), np.uint8), 36, 64).shape == (36, 64, 3)


def test_a_picture_of_the_right_size_is_unchanged():
    picture = np.random.default_rng(0).integers(0, 256, (36, 64, 3), dtype=np.uint8)
    assert (paint_backdrop(Picture(picture), 36, 64, None) == picture).all()


def test_colours_are_flat_and_transparent_is_the_keying_green():
    assert (paint_backdrop(Colour(1, 2, 3), 4, 4, None) == (1, 2, 3)).all()
    assert (paint_backdrop(Transparent(), 4, 4, None) == (0x00, 0xB1, 0x40)).all()


def test_without_a_plate_there_is_nothing_to_blur():
    grey = (NO_SCENE.red, NO_SCENE.green, NO_SCENE.blue)
    assert (paint_backdrop(Blur(), 4, 4, None) == grey).all()


def test_a_blur_has_the_radius_it_names_at_720_lines():
    edge = np.zeros((720, 1280, 3), np.uint8)
    edge[:, 640:] = 255
    profile = blur(edge, 24.0)[360, :, 0].astype(float) / 255
    # A Gaussian's integral passes 15.9 % one deviation before the edge.
    assert profile[640 - 24] == pytest.approx(0.159, abs=0.03)
    half = blur(np.ascontiguousarray(edge[::2, ::2]), 24.0)[180, :, 0].astype(float) / 255
    assert half[320 - 12] == pytest.approx(0.159, abs=0.03)


def test_a_blur_of_zero_changes_nothing():
    picture = np.random.default_rng(0).integers(0, 256, (36, 64, 3), dtype=np.uint8)
    assert (paint_backdrop(Blur(0.0), 36, 64, picture) == picture).all()


def test_alpha_mixes_foreground_and_backdrop():
    alpha = np.array([[0.0, 0.25, 1.0]], np.float32)
    foreground = np.full((1, 3, 3), 200, np.uint8)
    backdrop = np.full((1, 3, 3), 100, np.uint8)
    mixed = compose(alpha, foreground, backdrop)
    assert mixed[0, :, 0] == pytest.approx([100, 125, 200], abs=1)

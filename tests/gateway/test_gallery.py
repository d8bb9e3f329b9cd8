"""The shipped backdrops: complete, light, and what the painters paint."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gateway.gallery import PICTURES, BuiltIn, built_in
from gateway.gallery.film import jpeg
from gateway.gallery.painting import PAINTERS, paint

SMALL = (96, 54)

each = pytest.mark.parametrize("backdrop", built_in(), ids=lambda backdrop: backdrop.id)


def test_there_are_at_least_ten_backdrops_with_titles_of_their_own() -> None:
    titles = [backdrop.title for backdrop in built_in()]
    assert len(set(titles)) == len(titles) >= 10
    assert all(title == title.strip() and 3 <= len(title) <= 24 for title in titles)


def test_list_painters_and_pictures_are_the_same_set() -> None:
    ids = {backdrop.id for backdrop in built_in()}
    assert ids == set(PAINTERS) == {path.stem for path in PICTURES.glob("*.jpg")}


@each
def test_a_picture_is_full_hd_and_light(backdrop: BuiltIn) -> None:
    assert backdrop.path.stat().st_size < 400_000
    assert cv2.imread(str(backdrop.path)).shape == (1080, 1920, 3)


@each
def test_painting_twice_gives_the_same_bytes(backdrop: BuiltIn) -> None:
    first = paint(backdrop.id, *SMALL, samples=1)
    assert np.array_equal(first, paint(backdrop.id, *SMALL, samples=1))


@each
def test_the_shipped_picture_is_what_the_painter_paints(backdrop: BuiltIn) -> None:
    shipped = cv2.cvtColor(cv2.imread(str(backdrop.path)), cv2.COLOR_BGR2RGB)
    shipped = cv2.resize(shipped, (16, 9), interpolation=cv2.INTER_AREA).astype(float)
    painted = paint(backdrop.id, *SMALL, samples=12)
    painted = cv2.resize(painted, (16, 9), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(shipped - painted).mean() < 20


@each
def test_no_backdrop_could_be_taken_for_the_keying_green(backdrop: BuiltIn) -> None:
    red, green, blue = np.moveaxis(cv2.imread(str(backdrop.path))[..., ::-1].astype(int), -1, 0)
    keyed = (green > red + 60) & (green > blue + 40)
    assert keyed.mean() < 0.01


@each
def test_smooth_areas_do_not_band(backdrop: BuiltIn) -> None:
    """A step of an 8-bit ramp shows where neighbours are equal over long runs; grain breaks it."""
    painted = paint(backdrop.id, 480, 270, samples=1)[..., 1].astype(int)
    runs = np.all(np.diff(np.lib.stride_tricks.sliding_window_view(painted, 24, axis=1)) == 0, -1)
    dark = painted[:, : runs.shape[1]] < 3  # black stays black
    assert (runs & ~dark).mean() < 0.02


def test_a_picture_that_cannot_be_light_enough_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="less grain"):
        jpeg(noise, heaviest=1000)

"""Footage before a screen with known alpha: uneven light, folds, spill, noise, 4:2:0."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.preparation.edges import despeckle, guided
from models.preparation.keying import Keyed, KeySettings, key
from models.preparation.screen import (
    KEY_CHANNEL,
    ScreenMissing,
    difference,
    find_screen,
    given_screen,
    light_screen,
)
from models.preparation.spill import remove_spill
from models.preparation.spreading import spread
from models.scenes.pictures import read_rgb
from tests.models.screen_footage import BLUE, DATA, GREEN, Shot, cut_out, shoot

Floats = NDArray[np.float32]

CASES = {
    "short hair before green": ("astronaut.webp", GREEN),
    "frizzy hair before green": ("person-0004.webp", GREEN),
    "long hair before blue": ("person-0033.webp", BLUE),
}


def as_floats(picture: NDArray[np.uint8]) -> Floats:
    return picture.astype(np.float32) / np.float32(255)


def keyed(shot: Shot, settings: KeySettings | None = None) -> Keyed:
    picture = as_floats(shot.picture)
    return key(picture, find_screen([picture]), settings)


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> tuple[Shot, Keyed]:
    name, colour = request.param
    shot = shoot(cut_out(name), colour)
    return shot, keyed(shot)


def edge_of(alpha: Floats, reach: int) -> NDArray[np.bool_]:
    soft = ((alpha > 0.02) & (alpha < 0.98)).astype(np.uint8)
    return cv2.dilate(soft, np.ones((reach, reach), np.uint8)) > 0


def test_alpha_is_close_to_the_truth(case: tuple[Shot, Keyed]) -> None:
    shot, result = case
    assert np.abs(result.alpha - shot.alpha).mean() < 0.006


def test_alpha_is_close_at_edges_and_hair(case: tuple[Shot, Keyed]) -> None:
    shot, result = case
    assert np.abs(result.alpha - shot.alpha)[edge_of(shot.alpha, 9)].mean() < 0.045


def test_alpha_is_soft_and_not_a_mask(case: tuple[Shot, Keyed]) -> None:
    shot, result = case
    soft = (result.alpha > 0.1) & (result.alpha < 0.9)
    truly = (shot.alpha > 0.1) & (shot.alpha < 0.9)
    assert soft.sum() > 0.5 * truly.sum()


def test_the_screen_is_empty_however_it_is_lit(case: tuple[Shot, Keyed]) -> None:
    shot, result = case
    clear = (shot.alpha < 0.02) & ~edge_of(shot.alpha, 15)
    assert result.alpha[clear].max() < 0.05


def test_the_foreground_has_the_person_s_own_colours(case: tuple[Shot, Keyed]) -> None:
    shot, result = case
    visible = shot.alpha > 0.1
    wrong = (result.foreground - shot.foreground)[visible]
    assert np.sqrt((wrong**2).mean()) < 0.045


def test_spill_is_removed(case: tuple[Shot, Keyed]) -> None:
    shot, result = case
    kind = "blue" if shot.picture[0, 0, 2] > shot.picture[0, 0, 1] else "green"
    rim = (shot.alpha > 0.5) & edge_of(shot.alpha, 9)

    def tint(picture: Floats) -> float:
        """How much more of the screen's colour than the person has without any spill."""
        channel = KEY_CHANNEL[kind]
        others = [index for index in range(3) if index != channel]
        more = (picture - shot.foreground)[rim]
        return float((more[:, channel] - more[:, others].mean(1)).mean())

    def excess(picture: Floats) -> float:
        """Where the screen's channel is the largest, and was not."""
        own = np.maximum(difference(shot.foreground, kind), 0)
        return float(np.maximum(difference(picture, kind) - own, 0)[rim].mean())

    seen = as_floats(shot.picture)
    assert tint(seen) > 0.05
    assert abs(tint(result.foreground)) < 0.5 * tint(seen)
    assert excess(result.foreground) < 0.1 * excess(seen)


def test_footage_with_full_chroma_gives_finer_edges() -> None:
    shot = shoot(cut_out("person-0004.webp"), GREEN, quality=None)
    edge = edge_of(shot.alpha, 9)
    assert np.abs(keyed(shot).alpha - shot.alpha)[edge].mean() < 0.03


@pytest.mark.parametrize(
    "colour",
    [(0.35, 0.75, 0.45), (0.55, 0.95, 0.6), (0.05, 0.3, 0.08)],
    ids=["pale", "overexposed", "dim"],
)
def test_screens_that_are_lit_badly_can_be_keyed(colour: tuple[float, float, float]) -> None:
    shot = shoot(cut_out("person-0004.webp"), colour, light=0.8)
    assert np.abs(keyed(shot).alpha - shot.alpha).mean() < 0.006


def test_a_shadow_on_the_screen_is_screen() -> None:
    shot = shoot(cut_out("person-0004.webp"), GREEN, quality=None)
    cast = cv2.GaussianBlur(np.roll(shot.alpha, 60, 1), (0, 0), 12) * (1 - shot.alpha)
    dark = np.rint(shot.picture * (1 - 0.45 * cast[..., None])).astype(np.uint8)
    result = keyed(dataclasses.replace(shot, picture=dark))
    assert np.abs(result.alpha - shot.alpha).mean() < 0.006


def test_the_screen_s_light_is_followed_behind_the_person() -> None:
    shot = shoot(cut_out("astronaut.webp"), GREEN, noise=0.005)
    empty = shoot(cut_out("astronaut.webp") * np.uint8(0), GREEN, noise=0, spill=0, quality=None)
    picture = as_floats(shot.picture)
    plate, _ = light_screen(picture, find_screen([picture]))
    clear = shot.alpha == 0
    assert np.abs(plate - as_floats(empty.picture))[clear].mean() < 0.01
    assert np.abs(plate - as_floats(empty.picture)).max() < 0.25


def test_the_screen_s_colour_is_found() -> None:
    for colour, kind in ((GREEN, "green"), (BLUE, "blue")):
        screen = find_screen([as_floats(shoot(cut_out("person-0004.webp"), colour).picture)])
        assert screen.kind == kind
        assert np.abs(np.subtract(screen.colour, colour)).max() < 0.06


def test_a_room_has_no_screen_and_the_message_says_what_to_do() -> None:
    with pytest.raises(ScreenMissing, match="cleanplate cut-out"):
        find_screen([as_floats(read_rgb(DATA / "room-0001.jpg"))])


def test_looking_for_blue_does_not_find_green() -> None:
    with pytest.raises(ScreenMissing, match="no blue screen"):
        find_screen([as_floats(shoot(cut_out("person-0004.webp"), GREEN).picture)], "blue")


def test_a_frame_without_its_clip_s_screen_is_refused() -> None:
    screen = find_screen([as_floats(shoot(cut_out("person-0004.webp"), GREEN).picture)])
    with pytest.raises(ScreenMissing, match="in this frame"):
        key(as_floats(read_rgb(DATA / "room-0001.jpg")), screen)


@pytest.mark.parametrize("text", ["mauve", "#12345", "#808080", "#ff2010"])
def test_a_colour_that_cannot_be_keyed_is_refused(text: str) -> None:
    with pytest.raises(ScreenMissing, match=text):
        given_screen(text)


def test_a_given_colour_keys_like_a_found_one() -> None:
    shot = shoot(cut_out("person-0004.webp"), GREEN)
    result = key(as_floats(shot.picture), given_screen("#29a340"))
    assert np.abs(result.alpha - shot.alpha).mean() < 0.006


@pytest.fixture(scope="module")
def studio() -> tuple[Shot, NDArray[np.bool_]]:
    """A screen that ends before the picture does: ceiling above, a stand on the left."""
    shot = shoot(cut_out("person-0004.webp"), GREEN)
    picture, garbage = shot.picture.copy(), np.zeros(shot.alpha.shape, bool)
    garbage[:30] = True
    garbage[:, :40] = True
    garbage[60:300, 40:60] = True
    picture[garbage] = (120, 110, 100)
    return dataclasses.replace(shot, picture=picture), garbage


def test_what_lies_beyond_the_screen_is_thrown_away(
    studio: tuple[Shot, NDArray[np.bool_]],
) -> None:
    shot, garbage = studio
    result = keyed(shot)
    assert result.alpha[garbage].mean() < 0.01
    assert np.abs(result.alpha - shot.alpha).mean() < 0.008


def test_without_the_garbage_matte_it_stays(studio: tuple[Shot, NDArray[np.bool_]]) -> None:
    shot, garbage = studio
    assert keyed(shot, KeySettings(garbage=False)).alpha[garbage].mean() > 0.9


def test_a_person_who_fills_the_lower_edge_is_not_garbage() -> None:
    shot = shoot(cut_out("astronaut.webp")[:, 60:430], GREEN)
    result = keyed(shot)
    assert result.alpha[-1].mean() > shot.alpha[-1].mean() - 0.02


def test_a_garbage_matte_can_be_given() -> None:
    shot = shoot(cut_out("person-0004.webp"), GREEN)
    picture, mask = as_floats(shot.picture), np.zeros(shot.alpha.shape, np.float32)
    picture[350:, 100:130] = 0.9
    mask[340:, 90:140] = 1
    screen = find_screen([picture])
    assert key(picture, screen).alpha[350:, 100:130].mean() > 0.9
    assert key(picture, screen, garbage=mask).alpha[350:, 100:130].max() == 0


def test_what_resembles_the_screen_inside_the_person_is_solid_unless_sheer() -> None:
    person = np.zeros((240, 320, 4), np.uint8)
    person[60:, 60:260] = (150, 140, 130, 255)
    person[120:200, 120:200] = (130, 175, 125, 255)
    shot = shoot(person, GREEN)
    assert keyed(shot).alpha[130:190, 130:190].min() == 1
    assert keyed(shot, KeySettings(sheer=True)).alpha[130:190, 130:190].mean() < 0.95


def test_despeckling_takes_islands_and_fills_holes_but_keeps_hair() -> None:
    alpha = np.zeros((60, 60), np.float32)
    alpha[20:50, 20:50] = 1
    alpha[5:8, 5:8] = 0.6
    alpha[30:32, 30:32] = 0.3
    alpha[12:20, 35] = 0.2
    clean = despeckle(alpha, 20)
    assert clean[5:8, 5:8].max() == 0
    assert clean[30:32, 30:32].min() == 1
    assert np.array_equal(clean[12:20, 35], alpha[12:20, 35])
    assert np.array_equal(despeckle(alpha, 0), alpha)


def test_the_guided_filter_calms_noise_and_leaves_the_edge_sharp() -> None:
    truth = np.zeros((80, 80), np.float32)
    cv2.circle(truth, (40, 40), 25, 1.0, -1)
    person, screen = np.float32([0.8, 0.5, 0.4]), np.float32([0.1, 0.6, 0.2])
    picture = np.where(truth[..., None] > 0, person, screen)
    noisy = truth + np.random.default_rng(0).normal(0, 0.1, truth.shape).astype(np.float32)
    calm = guided(noisy, picture, 3, 1e-4)
    blurred = cv2.boxFilter(noisy, -1, (7, 7))
    assert np.abs(calm - truth).mean() < 0.4 * np.abs(noisy - truth).mean()
    assert np.abs(calm - truth).max() < 0.5 * np.abs(blurred - truth).max()


def test_spreading_keeps_what_is_known_and_stays_within_it() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((37, 53, 3), dtype=np.float32)
    weights = (rng.random((37, 53)) < 0.05).astype(np.float32)
    filled = spread(values, weights)
    known = weights == 1
    assert np.allclose(filled[known], values[known], atol=1e-6)
    assert filled.min() >= values[known].min() - 1e-5
    assert filled.max() <= values[known].max() + 1e-5


def test_spreading_takes_the_nearest() -> None:
    values = np.zeros((64, 64, 1), np.float32)
    weights = np.zeros((64, 64), np.float32)
    values[:, 0], values[:, -1], weights[:, 0], weights[:, -1] = 0.2, 0.8, 1, 1
    filled = spread(values, weights)[..., 0]
    assert filled[:, 5].max() < 0.4
    assert filled[:, -6].min() > 0.6


def test_only_the_rim_loses_yellow_that_the_inside_does_not_have() -> None:
    colours = np.full((1, 4, 3), 0.4, np.float32)
    colours[0, :, 1] = (0.6, 0.4, 0.6, 0.3)
    colours[0, 2:, 0] = 0.7
    rim = np.float32([[1, 1, 0, 0]])
    clean = remove_spill(colours, "green", rim, np.zeros_like(rim))
    assert np.allclose(clean[0, :, 1], [0.4, 0.4, 0.6, 0.3])
    assert np.array_equal(clean[..., [0, 2]], colours[..., [0, 2]])

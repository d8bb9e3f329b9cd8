from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from models.scenes import camera, streaming
from models.scenes.augmentations import AUGMENTATIONS, UNTOUCHED
from models.scenes.camera import Image
from models.scenes.chances import Recipe
from models.scenes.composition import compose
from models.scenes.layers import colour_matrix, treated_person, treated_room
from models.scenes.pictures import Picture
from models.scenes.sample import Sample

SIZE = (72, 96)


def person(hue: tuple[int, int, int]) -> Picture:
    cutout = np.zeros((80, 60, 4), np.uint8)
    cutout[..., :3] = hue
    cv2.ellipse(cutout, (30, 50), (20, 45), 0, 0, 360, (*hue, 255), -1, cv2.LINE_AA)
    cv2.rectangle(cutout, (24, 40), (30, 70), (250, 240, 30, 255), -1)
    return cutout


def room(seed: int) -> Picture:
    coarse = np.random.default_rng(seed).integers(30, 220, (6, 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (96, 72)), dtype=np.uint8)


PEOPLE = [person((200, 120, 90)), person((40, 90, 160))]
ROOMS = [room(0), room(1)]


def sample(name: str, seed: int = 3) -> Sample:
    return AUGMENTATIONS[name](PEOPLE, ROOMS, SIZE, seed)


@dataclass(frozen=True)
class Change:
    """How far an augmented sample is from the untouched one, mean over the picture."""

    source: float
    plate: float
    alpha: float
    foreground: float


def change(name: str, seed: int = 3) -> Change:
    plain, touched = sample("none", seed), sample(name, seed)
    visible = (plain[2] > 0) & (touched[2] > 0)
    away = [np.abs(one - other) for one, other in zip(plain, touched, strict=True)]
    away[3] = away[3] * visible
    return Change(*(float(part.mean()) for part in away))


def test_untouched_source_and_plate_differ_only_where_the_person_is() -> None:
    source, plate, alpha, foreground = sample("none")
    empty = alpha[..., 0] == 0
    assert np.array_equal(source[empty], plate[empty])
    assert np.abs(source - (alpha * foreground + (1 - alpha) * plate)).max() < 0.01


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name != "none"])
def test_every_augmentation_changes_something_it_is_named_for(name: str) -> None:
    assert any(vars_sum(change(name, seed)) > 1e-4 for seed in (3, 4, 5))


def vars_sum(seen: Change) -> float:
    return seen.source + seen.plate + seen.alpha + seen.foreground


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_follows_from_its_seed(name: str) -> None:
    for one, again in zip(sample(name), sample(name), strict=True):
        assert np.array_equal(one, again)


@pytest.mark.parametrize(
    "name", ["exposure drift", "white balance drift", "uneven light", "misalignment"]
)
def test_what_drifts_between_plate_and_source_leaves_the_source_alone(name: str) -> None:
    seen = change(name)
    assert seen.plate > 1e-4
    assert seen.source == seen.alpha == seen.foreground == 0


def test_shadows_fall_on_the_source_only_and_darken_it() -> None:
    plain, shaded = sample("none"), sample("shadows")
    assert np.array_equal(plain[1], shaded[1])
    assert (shaded[0] <= plain[0] + 1e-6).all()
    assert plain[0].mean() - shaded[0].mean() > 0.001


@pytest.mark.parametrize("name", ["light", "low light"])
def test_light_that_changes_for_both_changes_the_true_foreground_too(name: str) -> None:
    assert change(name).foreground > 0.005


@pytest.mark.parametrize(
    "name", ["noise", "JPEG", "4:2:0", "VP8", "H.264", "VP8 bitrate", "H.264 bitrate", "defocus"]
)
def test_what_cameras_lose_is_no_change_of_the_truth(name: str) -> None:
    seen = change(name)
    assert seen.alpha == seen.foreground == 0
    assert 0 < seen.source < 0.08


def test_a_median_plate_is_cleaner_than_the_frame() -> None:
    plain, seen = sample("none"), sample("median plate")
    source, plate = (float(np.std(seen[k] - plain[k])) for k in (0, 1))
    assert plate < 0.75 * source


def test_the_median_of_more_frames_has_less_noise() -> None:
    grey = np.full((64, 64, 3), 0.4, np.float32)
    few, many = (
        float(camera.median(grey, np.random.default_rng(0), 0.05, frames).std())
        for frames in (3, 15)
    )
    one = float(camera.median(grey, np.random.default_rng(0), 0.05, 1).std())
    assert many < few < one
    # sqrt(pi / 2 / 15) of one frame's, and the rounding to bytes.
    assert many == pytest.approx(1.2533 / np.sqrt(15) * one, rel=0.15)


def test_the_median_forgets_what_no_frame_agrees_on() -> None:
    picture = np.linspace(0.2, 0.8, 32 * 32 * 3, dtype=np.float32).reshape(32, 32, 3)
    plate = camera.median(picture, np.random.default_rng(0), 0.0, 5)
    assert np.abs(plate - picture).max() <= 0.5 / 255 + 1e-6


def detailed(seed: int = 0) -> Image:
    rng = np.random.default_rng(seed)
    picture = rng.random((96, 128, 3), np.float32)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.5) * 2 - 0.5, np.float32).clip(0, 1)


@pytest.mark.parametrize("codec", ["libvpx", "libx264"])
def test_fewer_bits_lose_more(codec: str) -> None:
    picture = detailed()
    losses = []
    for bitrate in (0.1, 0.4, 2.0):
        rng = np.random.default_rng(0)
        seen = streaming.received(picture, codec, bitrate, 0.01, rng)
        losses.append(float(np.abs(seen - picture).mean()))
    assert losses[0] > losses[1] > losses[2] > 0


@pytest.mark.parametrize("codec", ["libvpx", "libx264"])
def test_odd_sizes_come_back_as_they_were(codec: str) -> None:
    picture = detailed()[:81, :95]
    seen = streaming.received(picture, codec, 1.0, 0.0, np.random.default_rng(0))
    assert seen.shape == picture.shape
    assert float(np.abs(seen - picture).mean()) < 0.2


def test_bitrates_are_drawn_between_those_of_poor_and_good_lines() -> None:
    rng = np.random.default_rng(0)
    drawn = [streaming.draw_bitrate(rng) for _ in range(200)]
    low, high = streaming.BITRATES
    assert low <= min(drawn) < 1.2 * low
    assert 0.8 * high < max(drawn) <= high


def test_a_colour_matrix_that_changes_nothing_is_the_identity() -> None:
    assert np.allclose(colour_matrix(1, 1, 1, 0), np.eye(3, 4))


def test_the_hue_turns_red_to_green_in_a_third_and_leaves_grey_alone() -> None:
    matrix = colour_matrix(1, 1, 1, 1 / 3)[:, :3]
    assert np.allclose(matrix @ [1, 0, 0], [0, 1, 0])
    assert np.allclose(matrix @ [0.4, 0.4, 0.4], 0.4)


def test_without_saturation_all_is_grey_and_contrast_turns_about_the_middle() -> None:
    grey = colour_matrix(1, 1, 0, 0)[:, :3] @ [0.9, 0.2, 0.4]
    assert np.ptp(grey) == pytest.approx(0)
    matrix = colour_matrix(1, 0.5, 1, 0)
    assert np.allclose(matrix @ [0.5, 0.1, 0.9, 1], [0.5, 0.3, 0.7])


@pytest.mark.parametrize("chance", ["grade", "colours", "soft", "crisp", "grainy"])
def test_a_persons_colour_never_exceeds_their_alpha(chance: str) -> None:
    recipe = Recipe(**{"grade": 0.0, chance: 1.0})  # type: ignore[arg-type]
    cutout = PEOPLE[0].astype(np.float32) / 255
    matte = np.ascontiguousarray(cutout[..., 3])
    colour = cutout[..., :3] * matte[..., None]
    for seed in range(5):
        seen, alpha = treated_person(colour, matte, np.random.default_rng(seed), recipe)
        assert seen.dtype == alpha.dtype == np.float32
        assert (seen <= alpha[..., None] + 1e-6).all()
        assert not np.array_equal(seen, colour)


@pytest.mark.parametrize("chance", ["colours", "soft", "crisp", "grainy"])
def test_a_treated_room_is_another_but_the_same_in_plate_and_source(chance: str) -> None:
    recipe = Recipe(**{chance: 1.0})  # type: ignore[arg-type]
    assert not np.array_equal(treated_room(ROOMS[0], np.random.default_rng(0), recipe), ROOMS[0])
    alone = Recipe(nobody=1, misaligned=0, **{chance: 1.0})  # type: ignore[arg-type]
    scene = compose(PEOPLE, ROOMS, SIZE, np.random.default_rng(0), alone)
    assert np.array_equal(scene.picture, scene.empty)


def test_what_is_off_draws_nothing_so_that_older_scenes_stay_as_they_were() -> None:
    rng, untouched = np.random.default_rng(0), np.random.default_rng(0)
    treated_room(ROOMS[0], rng, UNTOUCHED)
    treated_person(np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.float32), rng, UNTOUCHED)
    assert rng.random() == untouched.random()


def test_the_person_asked_for_is_the_one_who_comes() -> None:
    for wanted, other in ((0, 1), (1, 0)):
        scene = compose(PEOPLE, ROOMS, SIZE, np.random.default_rng(8), UNTOUCHED, wanted)
        mean = scene.foreground[scene.alpha > 0.9].mean(0) * 255
        near, far = (np.abs(mean - PEOPLE[k][10, 0, :3]).sum() for k in (wanted, other))
        assert near < far

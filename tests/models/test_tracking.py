"""The plate follows the camera's exposure, holds when it cannot, and knows when it is wrong."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.backends import Fit
from models.tracking import THUMBNAIL, PlateTracker

DATA = Path(__file__).parent.parent / "data"
SIZE = (*THUMBNAIL, 3)
PERSON = np.zeros(THUMBNAIL, np.float32)
PERSON[20:, 40:80] = 1


def plate(seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).uniform(0.1, 0.8, (9, 16, 3)).astype(np.float32)
    return cv2.resize(coarse, THUMBNAIL[::-1], interpolation=cv2.INTER_LINEAR)


def seen(gain: object = 1.0, offset: object = 0.0, scene: np.ndarray | None = None) -> np.ndarray:
    """A source: the scene in another light, a person, and the camera's noise."""
    rng = np.random.default_rng(1)
    source = (plate() if scene is None else scene) * np.float32(gain) + np.float32(offset)
    source += rng.normal(0, 0.004, SIZE).astype(np.float32)
    source[PERSON > 0] = (0.2, 0.3, 0.6)
    return np.clip(source, 0, 1).astype(np.float32)


def followed(source: np.ndarray, alpha: np.ndarray | None, frames: int = 40) -> PlateTracker:
    tracker = PlateTracker(plate(), noise=0.01)
    for _ in range(frames):
        tracker.follow(source, alpha)
    return tracker


def test_gain_and_offset_of_each_channel_are_found_around_the_person():
    tracker = followed(seen((1.06, 0.94, 1.1), 0.02), PERSON)
    assert tracker.fit.gain == pytest.approx((1.06, 0.94, 1.1), abs=0.02)
    assert tracker.fit.offset == pytest.approx((0.02, 0.02, 0.02), abs=0.01)
    assert tracker.validity == "good"
    assert tracker.drift < 0.5


def test_a_visible_change_is_followed_within_a_few_frames():
    tracker = followed(seen(), PERSON)
    for _ in range(5):
        fit = tracker.follow(seen(1.1), PERSON)
    assert fit.gain == pytest.approx((1.1, 1.1, 1.1), abs=0.02)


def test_something_new_in_the_scene_does_not_spoil_the_fit():
    source = seen(1.05)
    source[5:15, 100:115] = 0.95
    assert followed(source, PERSON).fit.gain == pytest.approx((1.05, 1.05, 1.05), abs=0.02)


def test_without_alpha_what_most_of_the_picture_agrees_on_counts():
    tracker = followed(seen(1.08), None)
    assert tracker.fit.gain == pytest.approx((1.08, 1.08, 1.08), abs=0.02)


def test_light_that_makes_everything_a_person_is_recovered_from():
    tracker = followed(seen(1.25), np.ones(THUMBNAIL, np.float32))
    assert tracker.fit.gain == pytest.approx((1.25, 1.25, 1.25), abs=0.03)


def test_a_person_who_fills_the_picture_holds_the_last_fit():
    tracker = followed(seen(1.05), PERSON)
    before = tracker.fit
    close = np.random.default_rng(4).uniform(0, 1, SIZE).astype(np.float32)
    tracker.follow(close, np.ones(THUMBNAIL, np.float32))
    assert tracker.fit == before


def test_a_fit_stays_within_limits():
    tracker = followed(np.zeros(SIZE, np.float32), np.zeros(THUMBNAIL, np.float32))
    assert all(0.5 <= gain <= 2 for gain in tracker.fit.gain)
    assert all(abs(offset) <= 0.2 for offset in tracker.fit.offset)


def test_a_plain_wall_keeps_a_gain_near_one():
    wall = np.full(SIZE, 0.5, np.float32)
    tracker = PlateTracker(wall, noise=0.01)
    for _ in range(30):
        tracker.follow(seen(offset=0.05, scene=wall), PERSON)
    assert tracker.fit.gain == pytest.approx((1, 1, 1), abs=0.05)


def test_another_scene_is_invalid_within_a_second():
    tracker = followed(seen(), PERSON)
    assert tracker.fit != Fit(gain=(0.0, 0.0, 0.0))
    for _ in range(30):
        tracker.follow(seen(scene=plate(seed=9)), PERSON)
    assert tracker.validity == "invalid"


def test_a_camera_that_was_nudged_is_noticed():
    moved = np.roll(plate(), 1, axis=1)
    assert followed(seen(scene=moved), PERSON).validity != "good"


def test_a_passing_shadow_is_no_alarm():
    tracker = followed(seen(), PERSON)
    shadow = seen()
    shadow[30:60, 90:] *= 0.7
    for _ in range(3):
        tracker.follow(shadow, PERSON)
    assert tracker.validity == "good"


@pytest.mark.parametrize("alpha", [PERSON, np.ones(THUMBNAIL, np.float32)])
def test_a_camera_that_turned_away_is_lost_whatever_the_network_makes_of_it(alpha: np.ndarray):
    tracker = followed(seen(), PERSON)
    turned = np.roll(plate(), 6, axis=1)
    for _ in range(30):
        tracker.follow(seen(scene=turned), alpha)
    assert tracker.lost
    assert tracker.validity == "invalid"


def test_a_room_never_seen_before_is_lost_when_all_of_it_passes_for_a_person():
    tracker = followed(seen(), PERSON)
    for _ in range(30):
        tracker.follow(seen(scene=plate(seed=9)), np.ones(THUMBNAIL, np.float32))
    assert tracker.lost


def test_a_camera_that_turns_back_is_found_again():
    tracker = followed(seen(), PERSON)
    for scene, lost in ((np.roll(plate(), 6, axis=1), True), (plate(), False)):
        for _ in range(40):
            tracker.follow(seen(scene=scene), PERSON)
        assert tracker.lost is lost


def test_shadow_and_light_never_make_a_camera_lost():
    tracker = followed(seen(), PERSON)
    shadow = seen(1.3)
    shadow[10:70, 85:] *= 0.8
    for _ in range(40):
        tracker.follow(shadow, PERSON)
    assert not tracker.lost


def test_somebody_who_passes_close_to_the_camera_does_not_lose_it():
    tracker = followed(seen(), PERSON)
    close = np.full(SIZE, 0.3, np.float32)
    for _ in range(8):
        tracker.follow(close, np.ones(THUMBNAIL, np.float32))
    assert not tracker.lost


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_another_room_is_lost_even_where_some_of_it_passes_for_the_scene(share: float):
    rooms = [cv2.imread(str(DATA / f"room-000{n}.jpg")) for n in (1, 2)]
    one, other = (
        cv2.resize(room, THUMBNAIL[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for room in rooms
    )
    tracker = PlateTracker(one, noise=0.01)
    alpha = np.ones(THUMBNAIL, np.float32)
    alpha[:, : round(share * THUMBNAIL[1])] = 0
    for _ in range(40):
        tracker.follow(other, alpha)
    assert tracker.lost


def test_a_plate_that_is_not_trusted_shows_nobody_until_it_has_fitted():
    tracker = PlateTracker(plate(), noise=0.01)
    tracker.distrust()
    assert tracker.lost
    for _ in range(15):
        tracker.follow(seen(), PERSON)
    assert not tracker.lost
    assert tracker.validity == "good"


def test_what_stands_before_the_scene_is_apart_from_the_plate_in_any_light():
    plate = np.random.default_rng(7).uniform(0.2, 0.6, (*THUMBNAIL, 3)).astype(np.float32)
    plate = cv2.blur(plate, (9, 9))
    tracker = PlateTracker(plate, noise=0.005)
    source = (plate * 1.2).astype(np.float32)
    source[30:60, 50:70] += 0.2
    for _ in range(30):
        tracker.follow(source, np.zeros(THUMBNAIL, np.float32))
    apart = tracker.apart(source)
    assert apart[32:58, 52:68].min() > 0.15
    assert apart[:, :45].max() < 0.02
    assert apart[:, 75:].max() < 0.02

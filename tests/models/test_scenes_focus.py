from dataclasses import replace

import numpy as np
import pytest

from models.scenes.chances import Recipe
from models.scenes.composition import compose
from models.scenes.degradation import degrade, degrade_little, degrade_plate
from models.scenes.recipes import CAMERAS, DRIFTED_SHIFT, SCENES, webrtc
from models.scenes.sample import Sample
from models.scenes.views import place


def person() -> np.ndarray:
    """Opaque, but for one soft corner at the upper right; runs out of the frame below."""
    cutout = np.full((200, 160, 4), 255, np.uint8)
    cutout[:40, 120:, 3] = 128
    return cutout


def room() -> np.ndarray:
    return np.random.default_rng(0).integers(60, 200, (90, 120, 3), dtype=np.uint8)


def soft_share_in_the_middle(focus: float) -> float:
    recipe = Recipe(focus=focus, flip=0, two_people=0, lookalike=0, props=0)
    shares = []
    for seed in range(30):
        _, alpha = place(person(), (120, 160), 2.0, np.random.default_rng(seed), recipe)
        middle = alpha[24:96, 32:128]
        shares.append(((middle > 0.2) & (middle < 0.8)).any())
    return float(np.mean(shares))


def test_a_focused_window_shows_the_soft_part_of_the_person() -> None:
    assert soft_share_in_the_middle(1.0) > 0.9
    assert soft_share_in_the_middle(0.0) < 0.7


def difference(**shares: float) -> float:
    """Of source and plate in empty rooms, over 24 samples."""
    nobody = np.zeros((40, 30, 4), np.uint8)
    samples = webrtc([nobody], [room()], (48, 64), np.random.default_rng(5), 24, **shares)
    return float(np.mean([np.abs(source - plate).mean() for source, plate, _, _ in samples]))


def test_a_good_camera_that_stands_still_differs_by_little_from_its_plate() -> None:
    assert difference(clean=1.0) < 0.6 * difference(clean=0.0)


def test_a_plate_that_has_drifted_differs_by_far_more() -> None:
    assert difference(drifted=1.0) > 3 * difference(clean=1.0)


def test_a_share_of_the_samples_has_such_a_plate() -> None:
    some = difference(clean=0.5, drifted=0.5)
    assert difference(clean=1.0) < some < difference(drifted=1.0)


def test_only_the_plate_drifts_and_not_what_is_seen() -> None:
    moved = Recipe(misaligned=1, shift=DRIFTED_SHIFT)
    changes = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        scene = compose([person()], [room()], (48, 64), rng, moved)
        source, plate, alpha, foreground = degrade_plate(scene, rng)
        # Its noise has a sigma of up to 0.015, which is a mean of 0.012.
        assert np.abs(source - scene.picture).mean() < 0.0125
        assert abs(float((source - scene.picture).mean())) < 0.002
        assert np.array_equal(alpha[..., 0], scene.alpha)
        assert np.array_equal(foreground, scene.foreground)
        changes.append(float(np.abs(plate - scene.empty).mean()))
    assert np.mean(changes) > 0.04


def without_the_option(clean: float, count: int) -> list[Sample]:
    """As `webrtc` drew before there were plates that drift."""
    rng = np.random.default_rng(9)
    samples = []
    for _ in range(count):
        if clean > 0 and rng.random() < clean:
            still = replace(SCENES, misaligned=0)
            scene = compose([person()], [room()], (48, 64), rng, still)
            samples.append(degrade_little(scene, rng))
        else:
            scene = compose([person()], [room()], (48, 64), rng, SCENES)
            samples.append(degrade(scene, rng, CAMERAS))
    return samples


@pytest.mark.parametrize("clean", [0.0, 0.5])
def test_without_plates_that_drift_the_samples_are_the_older_ones(clean: float) -> None:
    rng = np.random.default_rng(9)
    drawn = webrtc([person()], [room()], (48, 64), rng, 6, clean=clean)
    for sample, before in zip(drawn, without_the_option(clean, 6), strict=True):
        for one, other in zip(sample, before, strict=True):
            assert np.array_equal(one, other)

import numpy as np
import pytest

from tests.browser.camera_clip import CameraClip
from tests.browser.likeness import backdrop_error, covering, person_error, room_share

CLIP = CameraClip(width=320, height=180, fps=10)
BLUE = np.full((180, 320, 3), (30, 60, 200), np.uint8)


def composite(index: int, ghost: float = 0.0) -> np.ndarray:
    """What a perfect gateway would send, with `ghost` of the room left in."""
    alpha = CLIP.alpha(index)[..., None]
    behind = BLUE + ghost * (CLIP.frame(0).astype(float) - BLUE)
    return np.rint(alpha * CLIP.frame(index) + (1 - alpha) * behind).astype(np.uint8)


def test_a_perfect_composite_is_recognised_at_any_moment_of_the_swaying():
    for index in (CLIP.standing[0], CLIP.standing[7], CLIP.standing[-1]):
        assert person_error(composite(index), CLIP) < 1
        assert backdrop_error(composite(index), BLUE, CLIP) < 1
        assert room_share(composite(index), BLUE, CLIP) == pytest.approx(0, abs=0.01)


def test_the_share_of_a_room_that_shows_through_is_measured():
    assert room_share(composite(CLIP.standing[0], ghost=0.3), BLUE, CLIP) == pytest.approx(
        0.3, abs=0.02
    )
    assert room_share(CLIP.frame(CLIP.standing[0]), BLUE, CLIP) == pytest.approx(1, abs=0.01)


def test_a_missing_person_is_missed():
    assert person_error(BLUE, CLIP) > 50
    assert person_error(CLIP.frame(0), CLIP) > 50


def test_a_picture_covers_another_shape_without_being_stretched():
    tall = np.zeros((300, 100, 3), np.uint8)
    tall[100:200] = 255

    assert covering(tall, 160, 90).shape == (90, 160, 3)
    assert covering(tall, 160, 90).mean() > 250  # only its middle is left

import numpy as np

from models.scenes.chances import Recipe
from models.scenes.recipes import webrtc
from models.scenes.views import place


def person() -> np.ndarray:
    """Opaque, but for one soft corner at the upper right; runs out of the frame below."""
    cutout = np.full((200, 160, 4), 255, np.uint8)
    cutout[:40, 120:, 3] = 128
    return cutout


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


def test_a_good_camera_that_stands_still_differs_by_little_from_its_plate() -> None:
    room = np.random.default_rng(0).integers(60, 200, (90, 120, 3), dtype=np.uint8)
    nobody = np.zeros((40, 30, 4), np.uint8)

    def difference(clean: float) -> float:
        rng = np.random.default_rng(5)
        samples = webrtc([nobody], [room], (48, 64), rng, 24, clean=clean)
        return float(np.mean([np.abs(source - plate).mean() for source, plate, _, _ in samples]))

    assert difference(1.0) < 0.6 * difference(0.0)

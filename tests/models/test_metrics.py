"""Published test vectors: official scripts executed in Octave, and Robust Video Matting's.

Octave computes in single precision, so its sums agree to about 1e-6 of themselves.
"""

from itertools import pairwise

import numpy as np
import pytest

from models.evaluation import metrics
from models.evaluation.connectivity import connectivity_error, connectivity_map
from models.evaluation.trimap import (
    BAND,
    PERSON,
    ROOM,
    band_scores,
    foreground_mse,
    make_trimap,
    rounded,
)

Case = tuple[np.ndarray, np.ndarray, np.ndarray]


def ramp() -> Case:
    _, x = np.mgrid[:16, :16]
    truth = 17 * x
    return np.minimum(truth + 10, 255), truth, np.full((16, 16), BAND, np.uint8)


def square() -> Case:
    truth = np.zeros((32, 32), int)
    truth[8:24, 8:24] = 255
    prediction = truth.copy()
    prediction[12:16, 12:16] = 64
    prediction[2:5, 2:5] = 200
    trimap = truth.astype(np.uint8)
    trimap[4:28, 4:28] = BAND
    return prediction, truth, trimap


def disc() -> Case:
    y, x = np.mgrid[:32, :32]
    squared = (2 * y - 31) ** 2 + (2 * x - 31) ** 2
    truth = np.clip((700 - squared) * 255 // 400, 0, 255)
    prediction = np.clip(np.roll(truth, 1, 1) - (7 * x + 3 * y) % 5, 0, 255)
    trimap = np.where(squared < 250, PERSON, np.where(squared > 760, ROOM, BAND))
    return prediction, truth, trimap.astype(np.uint8)


def as_alpha(levels: np.ndarray) -> np.ndarray:
    return (levels / 255).astype(np.float32)


CASES = {"ramp": ramp, "square": square, "disc": disc}


def test_the_cases_are_those_that_were_published() -> None:
    sums = {name: [int(a.sum()) for a in case()[:2]] for name, case in CASES.items()}
    assert sums == {"ramp": [35040, 32640], "square": [64024, 65280], "disc": [98968, 100056]}
    pixels = {name: int((case()[2] == BAND).sum()) for name, case in CASES.items()}
    assert pixels == {"ramp": 256, "square": 576, "disc": 416}
    row = [0, 0, 0, 47, 108, 164, 215, *[255] * 18, 215, 164, 108, 47, 0, 0, 0]
    assert disc()[1][16].tolist() == row


@pytest.mark.parametrize(
    ("case", "region", "mse", "sad", "grad", "conn"),
    [
        ("ramp", "tri", 0.001441754, 0.009411765, 0.410791, 0.000000),
        ("ramp", "full", 0.001441754, 0.009411765, 0.410791, 0.000000),
        ("square", "tri", 0.016652144, 0.012768627, 92.824661, 13.584313),
        ("square", "full", 0.014172675, 0.019043136, 136.583771, 19.858824),
        ("disc", "tri", 0.017491240, 0.044278435, 42.855495, 41.527454),
        ("disc", "full", 0.007129139, 0.045898043, 58.322266, 41.527454),
    ],
)
def test_scores_in_the_band_equal_the_official_scripts(
    case: str, region: str, mse: float, sad: float, grad: float, conn: float
) -> None:
    prediction, truth, trimap = CASES[case]()
    if region == "full":
        trimap = np.full_like(trimap, BAND)
    scores = band_scores(as_alpha(prediction), as_alpha(truth), trimap)
    assert scores is not None
    assert scores.mse == pytest.approx(mse, rel=1e-6, abs=1e-9)
    assert scores.sad / 1e3 == pytest.approx(sad, rel=1e-6)
    assert scores.grad == pytest.approx(grad, rel=2e-6)
    assert scores.conn == pytest.approx(conn, rel=2e-6, abs=1e-9)
    assert scores.pixels == int((trimap == BAND).sum())


@pytest.mark.parametrize(
    ("case", "mad", "mse", "stretched", "grad", "conn", "dtssd"),
    [
        ("ramp", 36.764702, 1.441753, 0.000411, 0.000415, 0, 3.797043),
        ("square", 18.596813, 14.172675, 0.136584, 0.136584, 0.019859, 11.904904),
        ("disc", 44.822304, 7.129139, 0.058322, 0.058322, 0.041527, 8.443423),
    ],
)
def test_scores_of_whole_frames_equal_the_published_vectors(
    case: str, mad: float, mse: float, stretched: float, grad: float, conn: float, dtssd: float
) -> None:
    levels, true_levels, _ = CASES[case]()
    prediction, truth = as_alpha(levels), as_alpha(true_levels)
    before = as_alpha(np.roll(true_levels, -2, 1))
    assert metrics.mad(prediction, truth) * 1e3 == pytest.approx(mad, rel=1e-6)
    assert metrics.mse(prediction, truth) * 1e3 == pytest.approx(mse, rel=1e-6)
    low = metrics.gradient_error(prediction, truth, stretched=True)
    high = metrics.gradient_error(prediction, truth)
    assert low / 1e3 == pytest.approx(stretched, abs=5e-7)
    assert high / 1e3 == pytest.approx(grad, abs=5e-7)
    assert connectivity_error(prediction, truth) / 1e3 == pytest.approx(conn, abs=5e-7)
    assert metrics.dtssd(prediction, truth, before, before) * 1e2 == pytest.approx(dtssd, rel=1e-6)


def test_foreground_errors_equal_both_published_definitions() -> None:
    y, x = np.mgrid[:32, :32]
    _, levels, trimap = disc()
    truth = np.stack([8 * x % 256, 8 * y % 256, np.full((32, 32), 100)], 2)
    prediction = np.clip(truth + np.array([3, -4, 10]), 0, 255)
    arguments = as_alpha(prediction), as_alpha(truth), as_alpha(levels)
    assert int((levels > 0).sum()) == 548
    assert foreground_mse(*arguments, trimap) == pytest.approx(0.000548359, abs=5e-10)
    assert metrics.foreground_error(*arguments) * 1e3 == pytest.approx(0.640779, abs=5e-7)


def test_the_derivative_kernel_is_the_published_one() -> None:
    impulse = np.zeros((9, 9), np.float32)
    impulse[4, 4] = 1
    response = metrics.gradient_map(impulse, np.zeros_like(impulse))
    row = [0.02748698, 0.12294591, 0.29347417, 0.31543372, 0]
    assert np.sqrt(response[4, :5]) == pytest.approx(row, abs=1e-7)


def test_levels_are_compared_in_single_precision() -> None:
    # 153/255 is 0.6 in float32 and below 0.6000000000000001 in float64.
    prediction, truth = as_alpha(np.full((8, 8), 153)), np.ones((8, 8), np.float32)
    assert connectivity_error(prediction, truth) == pytest.approx(0.4 * 64, rel=1e-6)


def test_connectivity_equals_its_definition_pixel_by_pixel() -> None:
    rng = np.random.default_rng(3)
    prediction, truth = (
        rounded(np.clip(rng.normal(0.5, 0.6, (24, 30)), 0, 1).astype(np.float32)) for _ in range(2)
    )
    assert connectivity_map(prediction, truth) == pytest.approx(slowly(prediction, truth), abs=1e-6)


def slowly(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Connectivity by flood fills in plain Python, as the definition reads."""
    level = np.full(truth.shape, -1, np.float32)
    steps = [np.float32(i / 10) for i in range(11)]
    for before, threshold in pairwise(steps):
        body = largest_body((prediction >= threshold) & (truth >= threshold))
        level[(level < 0) & ~body] = before
    level[level < 0] = 1
    far = [value - level for value in (prediction, truth)]
    first, second = (1 - d * (d >= np.float32(0.15)) for d in far)
    return np.abs(first - second)


def largest_body(mask: np.ndarray) -> np.ndarray:
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    largest: set[tuple[int, int]] = set()
    while left:
        body, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            body.add((y, x))
            near = {(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)} & left
            left -= near
            edge += near
        largest = max(largest, body, key=len)
    out = np.zeros_like(mask)
    for place in largest:
        out[place] = True
    return out


def test_a_perfect_matte_has_no_error() -> None:
    _, levels, trimap = disc()
    truth = as_alpha(levels)
    assert metrics.mad(truth, truth) == metrics.mse(truth, truth) == 0
    assert metrics.gradient_error(truth, truth) == connectivity_error(truth, truth) == 0
    scores = band_scores(truth, truth, trimap)
    assert scores is not None
    assert scores.sad == scores.mse == scores.grad == scores.conn == 0


def test_an_empty_room_and_a_blind_contender_are_no_accident() -> None:
    nobody, everybody = np.zeros((12, 12), np.float32), np.ones((12, 12), np.float32)
    assert connectivity_error(nobody, nobody) == 0
    # Both leave the common body at once; the surplus then counts whole.
    assert connectivity_error(everybody, nobody) == 144
    assert band_scores(nobody, nobody, make_trimap(nobody)) is None
    colours = np.zeros((12, 12, 3), np.float32)
    assert foreground_mse(colours, colours, nobody, make_trimap(nobody)) is None
    assert metrics.foreground_error(colours, colours, nobody) == 0


def test_the_trimap_closes_gaps_in_hair_and_keeps_the_outline() -> None:
    alpha = np.zeros((60, 80), np.float32)
    alpha[:, 50:] = 1
    alpha[20:40, 20] = alpha[20:40, 30] = 0.5  # two strands, ten pixels apart
    trimap = make_trimap(alpha)
    assert (trimap[25:35, 20:31] == BAND).all()
    assert (trimap[25:35, :19] == ROOM).all()
    assert (trimap[25:35, 55:] == PERSON).all()


def test_a_band_that_leaves_the_frame_is_kept_to_its_edge() -> None:
    alpha = np.zeros((40, 40), np.float32)
    alpha[30:, :] = 0.5
    assert (make_trimap(alpha)[30:] == BAND).all()


def test_rows_beyond_a_multiple_of_four_do_not_count() -> None:
    truth = np.zeros((10, 11), np.float32)
    prediction = truth.copy()
    prediction[8:, :] = prediction[:, 8:] = 1
    scores = band_scores(prediction, truth, np.full((10, 11), BAND, np.uint8))
    assert scores is not None
    assert scores.pixels == 64
    assert scores.sad == 0


def test_rounding_is_to_levels_of_eight_bits() -> None:
    values = np.array([-0.1, 0, 0.0019, 0.002, 0.5, 1.2], np.float32)
    assert (rounded(values) * 255).round(4).tolist() == [0, 0, 0, 1, 128, 255]

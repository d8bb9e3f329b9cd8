"""Published test vectors; MAD and MSE are printed times 1,000, Grad divided by 1,000."""

import numpy as np
import pytest

from models.evaluation import metrics

Pair = tuple[np.ndarray, np.ndarray]


def ramp() -> Pair:
    _, x = np.mgrid[:16, :16]
    truth = 17 * x
    return np.minimum(truth + 10, 255), truth


def square() -> Pair:
    truth = np.zeros((32, 32), int)
    truth[8:24, 8:24] = 255
    prediction = truth.copy()
    prediction[12:16, 12:16] = 64
    prediction[2:5, 2:5] = 200
    return prediction, truth


def disc() -> Pair:
    y, x = np.mgrid[:32, :32]
    squared = (2 * y - 31) ** 2 + (2 * x - 31) ** 2
    truth = np.clip((700 - squared) * 255 // 400, 0, 255)
    prediction = np.clip(np.roll(truth, 1, 1) - (7 * x + 3 * y) % 5, 0, 255)
    return prediction, truth


def as_alpha(levels: np.ndarray) -> np.ndarray:
    return (levels / 255).astype(np.float32)


@pytest.mark.parametrize(
    ("case", "mad", "mse", "grad", "dtssd"),
    [
        (ramp, 36.764702, 1.441753, 0.000415, 3.797043),
        (square, 18.596813, 14.172675, 0.136584, 11.904904),
        (disc, 44.822304, 7.129139, 0.058322, 8.443423),
    ],
    ids=["ramp", "square", "disc"],
)
def test_scores_equal_the_published_vectors(case, mad, mse, grad, dtssd) -> None:
    levels, true_levels = case()
    prediction, truth = as_alpha(levels), as_alpha(true_levels)
    before = as_alpha(np.roll(true_levels, -2, 1))
    assert metrics.mad(prediction, truth) * 1e3 == pytest.approx(mad, rel=1e-5)
    assert metrics.mse(prediction, truth) * 1e3 == pytest.approx(mse, rel=1e-5)
    assert metrics.gradient_error(prediction, truth) / 1e3 == pytest.approx(grad, abs=1e-6)
    assert metrics.dtssd(prediction, truth, before, before) * 1e2 == pytest.approx(dtssd, rel=1e-5)


def test_a_perfect_matte_has_no_error() -> None:
    _, levels = disc()
    truth = as_alpha(levels)
    assert metrics.mad(truth, truth) == metrics.mse(truth, truth) == 0
    assert metrics.gradient_error(truth, truth) == 0

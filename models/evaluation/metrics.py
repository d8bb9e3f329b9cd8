"""Errors of an alpha matte over whole frames, as Robust Video Matting's tables define them.

Every function takes `prediction` and `truth` as float32 arrays of the same shape H x W in 0..1 and
returns a plain number, unscaled (papers print MAD and MSE times 1,000, dtSSD times 100, Grad and
Conn divided by 1,000). Errors inside a trimap's band are in `models.evaluation.trimap`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.connectivity import connectivity_error

__all__ = [
    "connectivity_error",
    "dtssd",
    "foreground_error",
    "gradient_error",
    "gradient_map",
    "mad",
    "mse",
]

Alpha = NDArray[np.float32]

_SIGMA = 1.4
# The kernel ends where the Gaussian falls below 1e-2 of its integral: 4 pixels at sigma 1.4.
_HALF = 4


def mad(prediction: Alpha, truth: Alpha) -> float:
    """Mean absolute difference, 0..1."""
    return float(np.abs(prediction - truth).mean(dtype=np.float64))


def mse(prediction: Alpha, truth: Alpha) -> float:
    """Mean squared error, 0..1."""
    return float(np.square(prediction - truth).mean(dtype=np.float64))


def gradient_error(prediction: Alpha, truth: Alpha, *, stretched: bool = False) -> float:
    """Sum of squared differences of gradient magnitudes (Rhemann et al. 2009), sigma 1.4.

    `stretched` spreads each matte to 0..1 first, as the low-resolution script does; the
    high-resolution one does not.
    """
    return float(gradient_map(prediction, truth, stretched=stretched).sum(dtype=np.float64))


def gradient_map(prediction: Alpha, truth: Alpha, *, stretched: bool = False) -> Alpha:
    """The squared differences of gradient magnitudes that `gradient_error` sums, H x W."""
    if stretched:
        prediction, truth = _stretch(prediction), _stretch(truth)
    difference = _gradient_magnitude(prediction) - _gradient_magnitude(truth)
    return np.asarray(np.square(difference), dtype=np.float32)


def dtssd(
    prediction: Alpha, truth: Alpha, previous_prediction: Alpha, previous_truth: Alpha
) -> float:
    """Flicker between two frames: root mean square of the difference of the changes.

    A clip's is the mean over its frames, the first of which has no change and counts 0.
    """
    change = (prediction - previous_prediction) - (truth - previous_truth)
    return float(np.sqrt(np.square(change).mean(dtype=np.float64)))


def foreground_error(
    prediction: NDArray[np.float32], truth: NDArray[np.float32], alpha: Alpha
) -> float:
    """Mean squared error of the foreground's colours (H x W x 3) where `alpha` is above 0.

    0 where nobody is in the frame: there is no colour to be wrong about.
    """
    shown = alpha > 0
    if not shown.any():
        return 0.0
    return float(np.square(prediction[shown] - truth[shown]).mean(dtype=np.float64))


def _stretch(alpha: Alpha) -> Alpha:
    low, high = float(alpha.min()), float(alpha.max())
    if high <= low:
        return alpha
    return np.asarray((alpha - np.float32(low)) / np.float32(high - low), dtype=np.float32)


def _gradient_magnitude(alpha: Alpha) -> Alpha:
    smooth, derivative = _kernels()
    across = cv2.sepFilter2D(alpha, cv2.CV_32F, derivative, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(alpha, cv2.CV_32F, smooth, derivative, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.sqrt(across * across + down * down), dtype=np.float32)


def _kernels() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gaussian and its derivative; their outer product has Euclidean norm 1."""
    x = np.arange(-_HALF, _HALF + 1, dtype=np.float64)
    gaussian = np.exp(-(x**2) / (2 * _SIGMA**2)) / (_SIGMA * np.sqrt(2 * np.pi))
    derivative = -x * gaussian / _SIGMA**2
    norm = np.sqrt(np.square(np.outer(gaussian, derivative)).sum())
    return gaussian / np.sqrt(norm), derivative / np.sqrt(norm)

"""One answer, scored: whole frame, band of the trimap, and where in the picture errors sit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.evaluation import metrics
from models.evaluation.connectivity import connectivity_map
from models.evaluation.contender import Answer
from models.evaluation.metrics import dtssd
from models.evaluation.sets import Sample
from models.evaluation.trimap import (
    BAND,
    PERSON,
    ROOM,
    band_scores,
    foreground_mse,
    make_trimap,
    rounded,
    widened,
)

Metric: TypeAlias = Literal[
    "alpha_mad",
    "alpha_mse",
    "grad_thousands",
    "conn_thousands",
    "dtssd",
    "sad_thousands",
    "trimap_mse",
    "trimap_grad_thousands",
    "trimap_conn_thousands",
    "foreground_mse",
]

METRICS: Final[Mapping[Metric, tuple[str, str]]] = {
    "alpha_mad": ("MAD", "mean absolute error of alpha over whole frames"),
    "alpha_mse": ("MSE", "mean squared error of alpha over whole frames"),
    "grad_thousands": ("Grad", "gradient error over whole frames, thousands"),
    "conn_thousands": ("Conn", "connectivity error over whole frames, thousands"),
    "dtssd": ("dtSSD", "flicker: error of the change between frames of a clip"),
    "sad_thousands": ("SAD", "sum of absolute errors in the band, thousands"),
    "trimap_mse": ("MSE", "mean squared error in the band"),
    "trimap_grad_thousands": ("Grad", "gradient error in the band, thousands"),
    "trimap_conn_thousands": ("Conn", "connectivity error in the band, thousands"),
    "foreground_mse": ("FG MSE", "mean squared error of the foreground colours in the band"),
}
"""Heading and meaning of each; of all of them less is better."""

WHOLE_FRAME: Final[tuple[Metric, ...]] = (
    "alpha_mad", "alpha_mse", "grad_thousands", "conn_thousands", "dtssd",
)  # fmt: skip
IN_BAND: Final[tuple[Metric, ...]] = (
    "sad_thousands", "trimap_mse", "trimap_grad_thousands", "trimap_conn_thousands",
    "foreground_mse",
)  # fmt: skip

RIM: Final = 10
"""Pixels around the band in which an error still belongs to an outline."""

PLACES: Final[Mapping[str, str]] = {
    "band": "where the person is half transparent",
    "rim": f"within {RIM} pixels of that",
    "person": "inside the person: holes",
    "room": "in the room: ghosts",
}
"""Parts of a frame; together they are all of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Errors in one part of the frame."""

    mse: float | None
    """Mean squared error of alpha there; None if the frame has no such part."""
    share: float
    """Of the whole frame's squared error, 0..1."""
    area: float
    """Of the whole frame, 0..1."""


@dataclass(frozen=True, slots=True)
class SampleScores:
    """One contender on one sample."""

    name: str
    """Of the sample."""
    values: Mapping[Metric, float | None]
    """Without `dtssd`; None where a sample has no band or a contender no foreground."""
    where: Mapping[str, Place]
    """By the keys of `PLACES`."""
    band_mse: float | None
    """Alpha MSE in the transition band, which is the trimap's band."""
    outside_mse: float
    """Alpha MSE outside it."""


@dataclass(frozen=True, slots=True)
class ClipScores:
    """One contender on one clip."""

    name: str
    dtssd: float
    """Mean over the frames, the first of which counts 0 (Robust Video Matting's definition)."""
    alpha_mad: float
    alpha_mse: float
    frames: int


def score(answer: Answer, sample: Sample) -> SampleScores:
    """All metrics of a still, of alphas and colours in 8 bits."""
    prediction, truth = rounded(answer.alpha), rounded(sample.alpha)
    trimap = make_trimap(truth)
    connectivity = connectivity_map(prediction, truth)
    band = band_scores(prediction, truth, trimap, connectivity)
    colours = None
    if answer.foreground is not None:
        colours = foreground_mse(
            rounded(answer.foreground), rounded(sample.foreground), truth, trimap
        )
    values: dict[Metric, float | None] = {
        "alpha_mad": metrics.mad(prediction, truth),
        "alpha_mse": metrics.mse(prediction, truth),
        "grad_thousands": metrics.gradient_error(prediction, truth) / 1e3,
        "conn_thousands": float(connectivity.sum(dtype=np.float64)) / 1e3,
        "sad_thousands": band.sad / 1e3 if band else None,
        "trimap_mse": band.mse if band else None,
        "trimap_grad_thousands": band.grad / 1e3 if band else None,
        "trimap_conn_thousands": band.conn / 1e3 if band else None,
        "foreground_mse": colours,
    }
    squared = np.square(prediction - truth)
    inside = trimap == BAND
    return SampleScores(
        sample.name,
        values,
        _places(squared, trimap),
        _mean(squared, inside),
        _mean(squared, ~inside) or 0.0,
    )


class ClipScorer:
    """One contender on one clip, frame by frame in order."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float]] = []
        self._before: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def add(self, answer: Answer, sample: Sample) -> None:
        """The next frame."""
        prediction, truth = rounded(answer.alpha), rounded(sample.alpha)
        change = dtssd(prediction, truth, *self._before) if self._before else 0.0
        errors = metrics.mad(prediction, truth), metrics.mse(prediction, truth)
        self._rows.append((change, *errors))
        self._before = prediction, truth

    def scores(self, name: str) -> ClipScores:
        """Means over the frames so far, at least one; `name` is the clip's."""
        change, mad, mse = (float(value) for value in np.mean(self._rows, axis=0))
        return ClipScores(name, change, mad, mse, len(self._rows))


def mean_of(samples: Sequence[SampleScores], clips: Sequence[ClipScores]) -> dict[Metric, float]:
    """Means over what was scored; a metric that nothing has is left out."""
    means: dict[Metric, float] = {}
    for metric in METRICS:
        values = (
            [clip.dtssd for clip in clips]
            if metric == "dtssd"
            else [value for s in samples if (value := s.values[metric]) is not None]
        )
        if values:
            means[metric] = float(np.mean(values))
    return means


def _places(squared: NDArray[np.float32], trimap: NDArray[np.uint8]) -> dict[str, Place]:
    band = trimap == BAND
    rim = widened(band, RIM) & ~band
    parts = {
        "band": band,
        "rim": rim,
        "person": (trimap == PERSON) & ~rim,
        "room": (trimap == ROOM) & ~rim,
    }
    total = float(squared.sum(dtype=np.float64))
    places = {}
    for name, mask in parts.items():
        error = float(squared[mask].sum(dtype=np.float64))
        share = error / total if total else 0.0
        places[name] = Place(_mean(squared, mask), share, float(mask.mean()))
    return places


def _mean(squared: NDArray[np.float32], mask: NDArray[np.bool_]) -> float | None:
    return float(squared[mask].mean(dtype=np.float64)) if mask.any() else None

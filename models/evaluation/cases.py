"""The worst answers as pictures: numbers do not show whether hair and glasses are right."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.contender import Answer, Contender
from models.evaluation.examination import SetResult, answer_still
from models.evaluation.scores import SampleScores
from models.evaluation.sets import Sample
from models.scenes.camera import Image, to_bytes

WIDTH: Final = 640
"""Columns of a picture in the report."""

_QUALITY: Final = 82

_GREEN: Final = np.array([0, 177, 64], np.float32) / 255

_SURPLUS: Final = np.array([255, 96, 64], np.float32) / 255
_LACKING: Final = np.array([64, 156, 255], np.float32) / 255


@dataclass(frozen=True, slots=True)
class Shown:
    """One contender's answer as pictures, each a `data:` address."""

    name: str
    scores: SampleScores
    alpha: str
    error: str
    """Where alpha is too high (orange) or too low (blue)."""
    expected: str | None
    """The error map of the network itself; None if it has none."""
    composite: str


@dataclass(frozen=True, slots=True)
class Case:
    """One scene and what every contender made of it."""

    name: str
    source: str
    plate: str
    truth: str
    ideal: str
    """The true composite on green."""
    answers: Sequence[Shown]


def worst_cases(contenders: Sequence[Contender], result: SetResult, count: int) -> list[Case]:
    """The `count` scenes that the first weights did worst on, by MAD; the worst first.

    Scenes and answers are made again: kept for all scenes they would not fit the memory.
    """
    cases = []
    for index in _worst(contenders, result, count):
        sample = result.stills.sample(index, result.recipe)
        scores = {name: tally.samples[index] for name, tally in result.tallies.items()}
        cases.append(_case(contenders, sample, scores))
    return cases


def _worst(contenders: Sequence[Contender], result: SetResult, count: int) -> list[int]:
    # Comparators find no foreground: their worst scenes say nothing about our weights.
    ours = [c.name for c in contenders if "backbone" in c.settings] or list(result.tallies)
    errors = np.array([s.values["alpha_mad"] for s in result.tallies[ours[0]].samples], float)
    return [int(index) for index in np.argsort(-errors, kind="stable")[:count]]


def _case(
    contenders: Sequence[Contender], sample: Sample, scores: Mapping[str, SampleScores]
) -> Case:
    return Case(
        sample.name,
        _address(sample.source),
        _address(sample.plate),
        _address(_grey(sample.alpha)),
        _address(_on_green(sample.alpha, sample.foreground)),
        [_shown(c, answer_still(c, sample), sample, scores[c.name]) for c in contenders],
    )


def _shown(contender: Contender, answer: Answer, sample: Sample, scores: SampleScores) -> Shown:
    # Whoever finds no foreground shows the source, with the room's light on every edge.
    foreground = sample.source if answer.foreground is None else answer.foreground
    return Shown(
        contender.name,
        scores,
        _address(_grey(answer.alpha)),
        _address(_difference(answer.alpha - sample.alpha)),
        None if answer.error is None else _address(_grey(answer.error)),
        _address(_on_green(answer.alpha, foreground)),
    )


def _grey(plane: NDArray[np.float32]) -> Image:
    return np.repeat(plane[..., None], 3, 2)


def _on_green(alpha: NDArray[np.float32], foreground: Image) -> Image:
    weight = alpha[..., None]
    return np.asarray(weight * foreground + (1 - weight) * _GREEN, dtype=np.float32)


def _difference(signed: NDArray[np.float32]) -> Image:
    # The root makes an error of a tenth visible.
    strength = np.sqrt(np.abs(signed))[..., None]
    colour = np.where(signed[..., None] > 0, _SURPLUS, _LACKING)
    return np.asarray(strength * colour, dtype=np.float32)


def _address(picture: Image) -> str:
    height, width = picture.shape[:2]
    pixels: NDArray[Any] = to_bytes(picture)
    if width > WIDTH:
        size = (WIDTH, round(height * WIDTH / width))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return "data:image/webp;base64," + base64.b64encode(encoded.tobytes()).decode()

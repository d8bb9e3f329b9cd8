"""Scenes and answers as pictures: numbers do not show whether hair and glasses are right."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.contender import Answer, Contender
from models.evaluation.examination import SetResult, answer_still
from models.evaluation.scores import SampleScores
from models.evaluation.sets import Sample
from models.evaluation.views import answer_on_green, difference, grey, on_green
from models.scenes.camera import Image, to_bytes

WIDTH: Final = 640
"""Columns of a picture in the report."""

_QUALITY: Final = 82


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
        answers = [answer_still(contender, sample) for contender in contenders]
        scores = [result.tallies[contender.name].samples[index] for contender in contenders]
        cases.append(make_case(contenders, answers, sample, scores))
    return cases


def _worst(contenders: Sequence[Contender], result: SetResult, count: int) -> list[int]:
    # Comparators find no foreground: their worst scenes say nothing about our weights.
    ours = [c.name for c in contenders if "backbone" in c.settings] or list(result.tallies)
    errors = np.array([s.values["alpha_mad"] for s in result.tallies[ours[0]].samples], float)
    return [int(index) for index in np.argsort(-errors, kind="stable")[:count]]


def make_case(
    contenders: Sequence[Contender],
    answers: Sequence[Answer],
    sample: Sample,
    scores: Sequence[SampleScores],
) -> Case:
    """A scene and what was answered, as pictures; answers and scores in the contenders' order."""
    return Case(
        sample.name,
        _address(sample.source),
        _address(sample.plate),
        _address(grey(sample.alpha)),
        _address(on_green(sample.alpha, sample.foreground)),
        [
            _shown(contender.name, answer, sample, own)
            for contender, answer, own in zip(contenders, answers, scores, strict=True)
        ],
    )


def _shown(name: str, answer: Answer, sample: Sample, scores: SampleScores) -> Shown:
    return Shown(
        name,
        scores,
        _address(grey(answer.alpha)),
        _address(difference(answer.alpha, sample.alpha)),
        None if answer.error is None else _address(grey(answer.error)),
        _address(answer_on_green(answer, sample.source)),
    )


def _address(picture: Image) -> str:
    height, width = picture.shape[:2]
    pixels: NDArray[Any] = to_bytes(picture)
    if width > WIDTH:
        size = (WIDTH, round(height * WIDTH / width))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return "data:image/webp;base64," + base64.b64encode(encoded.tobytes()).decode()

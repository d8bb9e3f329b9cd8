"""Contenders on sets of scenes: every one sees the same pictures and is scored the same way."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from models.evaluation import metrics
from models.evaluation.clips import FRAMES, clip
from models.evaluation.contender import Answer, Contender
from models.evaluation.drifts import DRIFTS, Drift
from models.evaluation.recipes import Recipe, inner
from models.evaluation.scores import (
    ClipScorer,
    ClipScores,
    Metric,
    SampleScores,
    mean_of,
    score,
)
from models.evaluation.sets import Sample, StillSet
from models.evaluation.trimap import rounded

FINGERPRINT_BITS: Final = 32


class Progress(Protocol):
    """What a long examination tells of its advance: `tqdm` fits."""

    def update(self, n: float = 1) -> object:
        """So many more answers were scored."""


@dataclass(slots=True)
class Tally:
    """One contender on one set under one recipe."""

    samples: list[SampleScores] = field(default_factory=list)
    clips: list[ClipScores] = field(default_factory=list)
    seconds: float = 0.0
    """Spent answering the stills."""

    @property
    def means(self) -> dict[Metric, float]:
        """By metric; see `models.evaluation.scores.METRICS`."""
        return mean_of(self.samples, self.clips)


@dataclass(slots=True)
class SetResult:
    """All contenders on one set under one recipe."""

    stills: StillSet
    recipe: Recipe
    scenes: int
    tallies: dict[str, Tally]
    """By the contender's name, in the order they were given."""
    fingerprint: int = 0
    """Of every still's pixels: the same number means the same scenes."""

    @property
    def key(self) -> str:
        """Set and recipe, `people/paper`."""
        return f"{self.stills.name}/{self.recipe.name}"


@dataclass(slots=True)
class Curve:
    """MAD and MSE of every contender over the points of a drift."""

    drift: Drift
    scenes: int
    alpha_mad: Mapping[str, list[float]]
    """By the contender's name: one value a point."""
    alpha_mse: Mapping[str, list[float]]


def amount(
    contenders: int, sets: int, recipes: int, scenes: int, clips: int, curve_scenes: int
) -> int:
    """Answers that a whole examination takes: what a progress bar counts to."""
    stills = sets * recipes * (scenes + clips * FRAMES)
    points = sum(len(drift.points) for drift in DRIFTS.values())
    return contenders * (stills + points * curve_scenes)


def examine_set(
    contenders: Sequence[Contender],
    stills: StillSet,
    recipes: Sequence[Recipe],
    scenes: int,
    clips: int,
    progress: Progress,
) -> list[SetResult]:
    """Score all contenders on `scenes` stills and `clips` clips, under every recipe.

    Raises:
        MaterialMissing: the set is not there.
    """
    results = [
        SetResult(stills, recipe, scenes, {c.name: Tally() for c in contenders})
        for recipe in recipes
    ]
    for index in range(scenes):
        scene = stills.scene(index)
        for result in results:
            sample = stills.sample(index, result.recipe, scene)
            # A sum does not ask for an order, and is the same for the same scenes.
            result.fingerprint = (result.fingerprint + sample.checksum) % 2**FINGERPRINT_BITS
            for contender in contenders:
                began = time.perf_counter()
                answer = answer_still(contender, sample)
                tally = result.tallies[contender.name]
                tally.seconds += time.perf_counter() - began
                tally.samples.append(score(answer, sample))
                progress.update()
    for index in range(clips):
        for result in results:
            _examine_clip(contenders, result, index, progress)
    return results


def examine_curve(
    contenders: Sequence[Contender],
    stills: StillSet,
    drift: Drift,
    scenes: int,
    progress: Progress,
) -> Curve:
    """Score all contenders on the first `scenes` stills at every point of a drift."""
    shape = (len(drift.points), scenes)
    mads = {contender.name: np.zeros(shape) for contender in contenders}
    mses = {contender.name: np.zeros(shape) for contender in contenders}
    for index in range(scenes):
        scene = stills.scene(index)
        picture, truth = inner(scene.picture), rounded(inner(scene.alpha))
        for at, point in enumerate(drift.points):
            # One stream of numbers for all points: only the drift differs between them.
            rng = stills.generator(f"curve {drift.name}", index)
            source, plate = drift.look(picture, scene.empty, rng, point)
            for contender in contenders:
                contender.start()
                alpha = rounded(contender.matte(source, plate).alpha)
                mads[contender.name][at, index] = metrics.mad(alpha, truth)
                mses[contender.name][at, index] = metrics.mse(alpha, truth)
                progress.update()
    return Curve(
        drift,
        scenes,
        {name: values.mean(1).tolist() for name, values in mads.items()},
        {name: values.mean(1).tolist() for name, values in mses.items()},
    )


def answer_still(contender: Contender, sample: Sample) -> Answer:
    """What `contender` says of a picture that nothing went before."""
    contender.start()
    return contender.matte(sample.source, sample.plate)


def _examine_clip(
    contenders: Sequence[Contender], result: SetResult, index: int, progress: Progress
) -> None:
    scorers = {contender.name: ClipScorer() for contender in contenders}
    for contender in contenders:
        contender.start()
    for frame in clip(result.stills, index, result.recipe):
        for contender in contenders:
            scorers[contender.name].add(contender.matte(frame.source, frame.plate), frame)
            progress.update()
    for name, scorer in scorers.items():
        result.tallies[name].clips.append(scorer.scores(f"clip {index}"))

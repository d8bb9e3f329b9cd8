"""The fixed examination: the same scenes of held-back people and rooms every time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.evaluation import metrics
from models.network import MattingNetwork
from models.scenes.composition import Recipe, compose
from models.scenes.degradation import Batch, degrade_for_validation, stack
from models.scenes.material import people_files, read_pictures, room_files

_SEED = 20_26
# The camera stands still but for the sub-pixel shift of degrade_for_validation.
_RECIPE = Recipe(nobody=0, props=0, shadows=0.3, lookalike=0, misaligned=0, two_people=0.1)


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the validation scenes, unscaled."""

    mad: float
    mse: float
    grad: float
    """Gradient error, thousands."""
    scenes: int


def validation_scenes(data: Path, size: tuple[int, int], count: int) -> Iterator[Batch]:
    """`count` scenes of `size` (rows, columns) as batches of one; the same on every machine.

    Scene n holds person n of the split, over a room and in a place drawn by its number.
    """
    people = people_files(data / "people", "validation")
    rooms = room_files(data / "rooms", "validation")
    for index in range(count):
        rng = np.random.default_rng((_SEED, index))
        chosen = [people[index % len(people)], people[int(rng.integers(len(people)))]]
        room = rooms[int(rng.integers(len(rooms)))]
        scene = compose(read_pictures(chosen, 4), read_pictures([room], 3), size, rng, _RECIPE)
        yield stack([degrade_for_validation(scene, rng)])


@torch.inference_mode()
def examine(network: MattingNetwork, scenes: list[Batch]) -> Scores:
    """Score `network`, which is put into eval mode, on `scenes`."""
    network.eval()
    device = next(network.parameters()).device
    rows = []
    for scene in scenes:
        matte = network(scene.source.to(device), scene.plate.to(device))
        alpha = matte.alpha[0, 0].float().cpu().numpy()
        truth = scene.alpha[0, 0].numpy()
        rows.append(
            (
                metrics.mad(alpha, truth),
                metrics.mse(alpha, truth),
                metrics.gradient_error(alpha, truth) / 1000,
            )
        )
    mad, mse, grad = np.asarray(rows).mean(0)
    return Scores(float(mad), float(mse), float(grad), len(rows))

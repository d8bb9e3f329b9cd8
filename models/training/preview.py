"""What the network is going to see: every augmentation by itself, and whole samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from models.scenes.augmentations import AUGMENTATIONS
from models.scenes.camera import Image, to_bytes
from models.scenes.sample import Batch, Sample
from models.training.batches import Batches, open_material
from models.training.errors import TrainingError
from models.training.plan import Plan
from models.training.stage import Stage

Pixels = NDArray[np.uint8]

CELL: Final = (216, 288)
"""Rows and columns of one picture."""

ACROSS: Final = 2
"""Samples, or draws of one augmentation, beside each other; each is source, plate, what differs
between these, and alpha."""

DRAWS: Final = 6
"""Of every augmentation, two of which are shown."""

SAMPLES: Final = 12
"""Whole samples below the augmentations."""

MAGNIFIED: Final = 4
"""How many times the difference is shown: most augmentations change a few steps of 255."""

_PAPER, _INK = 255, (40, 40, 40)
_LABEL, _GAP = 26, 10


def write_preview(plan: Plan, stage: Stage, data: Path, file: Path, *, seed: int = 0) -> None:
    """One picture for a person to look at: source, plate, their difference and alpha.

    Args:
        plan: names the material.
        stage: whose samples to show.
        data: the folder of the material.
        file: the picture, of any format that OpenCV writes.
        seed: of the run that is previewed: the whole samples are its first ones.

    Raises:
        MaterialMissing: there is nothing to show.
        TrainingError: the picture cannot be written.
    """
    if not cv2.haveImageWriter(str(file)):
        raise TrainingError(f"{file.name} has no ending of a picture: give FILE.png")
    people, rooms = open_material(plan, stage, data, "train", keep=False)
    cells = []
    for name, augmentation in tqdm(AUGMENTATIONS.items(), desc="preview", disable=None):
        # Always the same person first; then whom it struck hardest, for some strengths are drawn.
        draws = [augmentation(people, rooms, CELL, seed + draw) for draw in range(DRAWS)]
        shown = draws[0], max(draws[1:], key=_struck)
        cells += [_cell(sample, f"{name}: {augmentation.text}") for sample in shown]
    batches = Batches(replace(stage, batch=2), people, rooms, seed=seed)
    for step in range(SAMPLES // 2):
        batch = batches[step]
        height, width = batch.source.shape[2:]
        label = f"stage {stage.name}, {stage.recipe}, step {step}: {width}x{height}"
        cells += [_cell(_sample(batch, number), label) for number in range(2)]
    sheet = _grid(cells)
    file.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(file), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise TrainingError(f"the preview cannot be written to {file}: give another file")


def _cell(sample: Sample, label: str) -> Pixels:
    """Source, plate, the difference between them and alpha in a row, under their label."""
    source, plate, alpha, _ = sample
    difference = MAGNIFIED * np.abs(source - plate)
    images = (source, plate, difference, alpha.repeat(3, 2))
    row = np.concatenate([_fitted(image) for image in images], 1)
    head = np.full((_LABEL, row.shape[1], 3), _PAPER, np.uint8)
    label += f"   (source, plate, their difference times {MAGNIFIED:g}, alpha)"
    cv2.putText(head, label, (4, _LABEL - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK, 1, cv2.LINE_AA)
    return np.concatenate([head, row])


def _sample(batch: Batch, number: int) -> Sample:
    """One of a batch, as the recipes made it."""

    def picture(tensors: Tensor) -> Image:
        return np.ascontiguousarray(tensors[number].permute(1, 2, 0).numpy())

    return (
        picture(batch.source),
        picture(batch.plate),
        picture(batch.alpha),
        picture(batch.foreground),
    )


def _struck(sample: Sample) -> float:
    """How much source and plate differ where nobody is."""
    source, plate, alpha, _ = sample
    return float((np.abs(source - plate) * (1 - alpha)).mean())


def _fitted(image: Image) -> Pixels:
    """Whole, as large as a cell allows, in the middle of it."""
    height, width = image.shape[:2]
    scale = min(CELL[0] / height, CELL[1] / width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    small = cv2.resize(to_bytes(image), size, interpolation=method)
    cell = np.full((*CELL, 3), _PAPER, np.uint8)
    top, left = (CELL[0] - size[1]) // 2, (CELL[1] - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell


def _grid(cells: Sequence[Pixels]) -> Pixels:
    height, width = cells[0].shape[:2]
    rows = -(-len(cells) // ACROSS)
    shape = (rows * (height + _GAP) + _GAP, ACROSS * (width + _GAP) + _GAP, 3)
    sheet = np.full(shape, _PAPER, np.uint8)
    for index, cell in enumerate(cells):
        top = _GAP + index // ACROSS * (height + _GAP)
        left = _GAP + index % ACROSS * (width + _GAP)
        sheet[top : top + height, left : left + width] = cell
    return sheet

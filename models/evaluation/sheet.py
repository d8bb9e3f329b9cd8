"""A contact sheet of answers, to be opened by itself and looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.contender import Answer
from models.evaluation.sets import Sample
from models.evaluation.views import answer_on_green, difference, grey
from models.scenes.camera import Image, to_bytes

Pixels = NDArray[np.uint8]

COLUMNS: Final = (
    "source", "plate", "truth", "alpha", "error: orange too much, blue too little",
    "composite on green",
)  # fmt: skip
"""From left to right."""

HEIGHT: Final = 540
"""Rows of a cell, at most."""

SHAPE: Final = 0.85
"""Width of a cell over its height: the middle of a wide frame, where the person is, so that hair
is not too small to be seen. The report's page has the frames whole."""

_QUALITY: Final = 90
_HEAD, _LABEL, _GAP = 40, 22, 8
_INK: Final = (40, 40, 40)


def row(title: str, sample: Sample, answer: Answer) -> Pixels:
    """What `COLUMNS` names, beside each other under `title`; RGB."""
    pictures = (
        sample.source,
        sample.plate,
        grey(sample.alpha),
        grey(answer.alpha),
        difference(answer.alpha, sample.alpha),
        answer_on_green(answer, sample.source),
    )
    cells = [_cell(picture) for picture in pictures]
    labels = [_line(name, cells[0].shape[1], _LABEL, 0.5) for name in COLUMNS]
    joined = _beside([np.concatenate(pair) for pair in zip(labels, cells, strict=True)])
    return np.concatenate([_line(title, joined.shape[1], _LABEL, 0.6), joined])


def contact_sheet(title: str, rows: Sequence[Pixels]) -> bytes:
    """Rows below each other under the title, as JPEG."""
    sheet = np.concatenate([_line(title, rows[0].shape[1], _HEAD, 0.9), *rows])
    sheet = np.pad(sheet, ((_GAP, _GAP), (_GAP, _GAP), (0, 0)), constant_values=255)
    bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()


def _beside(cells: Sequence[Pixels]) -> Pixels:
    gap = np.full((cells[0].shape[0], _GAP, 3), 255, np.uint8)
    return np.concatenate([part for cell in cells for part in (cell, gap)][:-1], 1)


def _cell(picture: Image) -> Pixels:
    height, width = picture.shape[:2]
    across = min(width, round(height * SHAPE))
    left = (width - across) // 2
    middle = np.ascontiguousarray(to_bytes(picture)[:, left : left + across])
    if height > HEIGHT:
        size = (round(across * HEIGHT / height), HEIGHT)
        middle = np.asarray(cv2.resize(middle, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return middle


def _line(text: str, width: int, height: int, scale: float) -> Pixels:
    line = np.full((height, width, 3), 255, np.uint8)
    place = (2, height - 7)
    cv2.putText(line, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, 1, cv2.LINE_AA)
    return line

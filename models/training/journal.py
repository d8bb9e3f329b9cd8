"""What a stage writes down while it trains: a table, curves and pictures."""

from __future__ import annotations

import csv
import importlib.util
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

TABLE: Final = "log.csv"
PICTURES: Final = "pictures"


class Journal:
    """Of one stage: `log.csv`, `pictures/STEP.png`, and TensorBoard's events where it is installed.

    Args:
        folder: the stage's.
        start: the step the stage goes on from; what a stopped run wrote down after it is taken
            back, because it will be done again.
    """

    def __init__(self, folder: Path, start: int) -> None:
        self._folder = folder
        self._table = folder / TABLE
        rows: list[dict[str, Any]] = []
        if self._table.exists():
            with self._table.open(newline="") as file:
                rows = [row for row in csv.DictReader(file) if int(row["step"]) <= start]
        self._rows = rows
        self._events = _events(folder, start)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._events:
            self._events.close()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One line of the table and one point of every curve."""
        self._rows.append({"step": step, **values})
        # Whole, not appended: a run may go on with other columns than it began with.
        columns = dict.fromkeys(name for row in self._rows for name in row)
        fresh = self._table.with_suffix(".new")
        with fresh.open("w", newline="") as out:
            writer = csv.DictWriter(out, list(columns), restval="")
            writer.writeheader()
            writer.writerows(self._rows)
        fresh.replace(self._table)
        if self._events:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)
            self._events.flush()

    def show(self, step: int, scenes: Sequence[NDArray[np.uint8]]) -> None:
        """One row of pictures a scene: H x W x 3, RGB, uint8."""
        folder = self._folder / PICTURES
        folder.mkdir(exist_ok=True)
        sheet = np.concatenate(list(scenes))
        cv2.imwrite(str(folder / f"{step:07}.png"), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
        if self._events:
            for number, scene in enumerate(scenes):
                self._events.add_image(f"scene {number}", scene, step, dataformats="HWC")


def _events(folder: Path, start: int) -> Any:
    """TensorBoard's writer; None where it is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        logger.warning(
            "no TensorBoard here, so no curves: %s and %s are written all the same; "
            "pip install 'cleanplate[train]' brings it",
            folder / TABLE,
            folder / PICTURES,
        )
        return None
    # Takes a second, which a machine without it need not wait.
    from torch.utils.tensorboard.writer import SummaryWriter

    return SummaryWriter(str(folder), purge_step=start + 1)

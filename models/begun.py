"""A frame between its beginning and its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clock import Clock
from models.graphs.programs import FrameJob
from models.report import Quality
from models.tracking import PlateTracker


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A frame that waits for its program."""

    job: FrameJob
    tracker: PlateTracker
    alpha: NDArray[np.float32] | None
    """Of the frame before, (72, 128)."""
    clock: Clock
    quality: Quality | None = None
    """How closely it is looked at."""

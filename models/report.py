"""What the engine tells its callers. Plain data, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

I420: TypeAlias = NDArray[np.uint8]
"""One frame, shape (height * 3 // 2, width), both even: PyAV's `to_ndarray("yuv420p")`."""

Validity: TypeAlias = Literal["none", "good", "drifting", "invalid"]
"""How well the plate still fits the source; "none" without a plate."""

STAGES = ("upload", "plate", "base", "refine", "composite", "download", "total")
"""Keys of `Composite.milliseconds`, in the order of the work. Where a frame is one program on the
device, all of that program is `base`."""


@dataclass(frozen=True, slots=True)
class PlateReport:
    """How good a learned plate is."""

    width: int
    height: int
    shots: int
    """Frames it was learned from; 1 for a plate loaded from a picture."""
    noise: float
    """Mean standard deviation of a pixel over time, 0..1 of full scale; 0 for a picture."""
    brightness: float
    """Mean luma, 0..1."""
    sharpness: float
    """Share of the local contrast that its steepest edges cross within a pixel, at 640 pixels of
    width: 0.5 is sharp, below 0.12 is refused; 1 where there is no edge to judge."""
    motion: float
    """Share of the picture that moved during the capture, 0..1."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How closely the network looked at a frame."""

    level: int
    """0 for all there is; each further one gives up something for the promised rate."""
    levels: int
    """How many there are."""
    base_scale: float
    """Side of the base network's input over side of the frame that was matted."""
    refine_pixels: int
    """Pixels of it that might be refined."""
    looked: float = 1.0
    """Share of the frame that the network saw, 0..1: nobody was in the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """One finished frame."""

    pixels: I420
    """Of the size of the source it was made from, or a smaller one of the same shape where the
    time does not suffice for all of its pixels."""
    milliseconds: Mapping[str, float]
    """Time spent per stage, see `STAGES`; stages that did not run are missing."""
    has_plate: bool
    """False: the frame shows the backdrop alone, because nothing is known about the scene."""
    drift: float
    """Residual between source and fitted plate where no person is, in units of what is normal:
    0 is perfect, below 1 good, above 2 invalid."""
    validity: Validity
    quality: Quality | None = None
    """What the network was given; `None` where it did not run."""


@dataclass(frozen=True, slots=True)
class EngineDescription:
    """What an engine runs on."""

    device: str
    """`cpu` or `cuda:0`."""
    device_name: str
    """The processor's or accelerator's own name."""
    backend: str
    """For people: `openvino bf16`, `torch fp32`, `torch fp16`."""
    weights: str
    """Name of the weights' card."""
    recommended_width: int
    recommended_height: int
    recommended_fps: int
    """The largest camera mode expected to run in real time for one stream."""

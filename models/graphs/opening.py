"""Whether frames can be programs here, and proof that they show what the steps show."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.backdrop import Colour
from models.backends.choice import composite, example_pictures
from models.backends.torch_backend import TorchBackend
from models.detail import Detail, Ladder
from models.device import Device, choose_device
from models.errors import MattingError
from models.graphs.recording import Recorder, Steps
from models.graphs.runner import FrameRunner
from models.network import MattingNetwork
from models.operating_point import OperatingPoint
from models.pipeline import MattingPipeline
from models.plate import load_plate
from models.region import Size
from models.report import I420, Composite

logger = logging.getLogger(__name__)

TOLERANCE: Final = {"float32": 0.25, "float16": 1.5}
"""Mean difference of composites from the reference's that a precision explains, in steps of 8 bits:
that of alpha (`models.backends.choice.TOLERANCE`) times half of the contrast between person and
backdrop, and one rounding. A wrong layout or a missed wait makes ten times that."""

SHOWN: Final = 4
"""Frames compared: the first has no alpha before it, the second one has, and buffers are used for
the second time in the third."""


def open_frames(network: MattingNetwork, device: Device) -> FrameRunner | None:
    """Whole frames as graphs; as steps, with a warning, where recording fails; `None`, so that the
    backend goes on alone, on a processor, and, with a warning, where both compute something else.
    """
    if device.kind == "cpu" or network.config.refine_mode != "sampling":
        return None
    recorders: Sequence[Recorder | None] = (None, Steps())
    for recorder in recorders:
        try:
            runner = FrameRunner(network, device, recorder=recorder)
            apart = self_test(runner, network, device)
        except (RuntimeError, MattingError) as error:  # torch's, and those of a full memory
            logger.warning("frames cannot be recorded on %s: %s", device.name, error)
            device.release_memory()
            continue
        if apart <= TOLERANCE[str(device.dtype).removeprefix("torch.")]:
            return runner
        logger.warning(
            "frames as %s on %s are off by %.1f steps of 255", runner.name, device.name, apart
        )
    return None


def self_test(runner: FrameRunner, network: MattingNetwork, device: Device) -> float:
    """Mean difference between composites of programs and those of the steps in fp32 on the
    processor, in steps of 8 bits; the worst of some operating points and of a batch."""
    reference = TorchBackend(network.float(), choose_device("cpu"))
    backend = TorchBackend(network, device)
    source, plate = example_pictures(96, 160)
    frame = np.asarray(cv2.cvtColor(source, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)
    worst = 0.0
    # Every patch or next to none: in reduced precision others may be the worst ones.
    for refined in (96 * 160, 16):
        point = OperatingPoint(base_scale=0.5, refine_pixels=refined)
        expected = _shown(_At(reference, point), plate, frame)
        got = _shown(_At(backend, point, runner), plate, frame)
        for one, other in zip(expected, got, strict=True):
            worst = max(worst, float(np.abs(one.astype(int) - other).mean()))
        worst = max(worst, _batch_apart(_At(backend, point, runner), runner, plate, frame))
    return worst


class _Fixed(Ladder):
    """Always the same one."""

    def __init__(self, point: OperatingPoint) -> None:
        super().__init__(lambda *_: True, accelerator=True, governor=None)
        self._point = point

    def at(self, asked: Size) -> Detail:
        return Detail(asked, asked, self._point, 0)


class _At(MattingPipeline[Tensor]):
    """A pipeline that stays at one operating point."""

    def __init__(
        self, backend: TorchBackend, point: OperatingPoint, frames: FrameRunner | None = None
    ) -> None:
        super().__init__(backend, frames=frames)
        self.runner = frames
        self._ladder = _Fixed(point)


def _prepared(pipeline: _At, plate: NDArray[np.uint8]) -> _At:
    pipeline.set_plate(load_plate(plate))
    pipeline.set_backdrop(Colour(20, 60, 200))
    return pipeline


def _shown(pipeline: _At, plate: NDArray[np.uint8], frame: I420) -> list[I420]:
    _prepared(pipeline, plate)
    return [composite(pipeline, frame, pipeline.runner).pixels for _ in range(SHOWN)]


def _batch_apart(
    pipeline: _At, runner: FrameRunner, plate: NDArray[np.uint8], frame: I420
) -> float:
    """How far the two frames of a batch differ from one alone: the lanes have to be alike."""
    begun = _prepared(pipeline, plate).begin(frame)
    if isinstance(begun, Composite):
        raise TypeError("with a plate a frame goes through a program")
    (alone,) = runner.launch([begun.job]).finish()
    both = runner.launch([begun.job, begun.job]).finish()
    apart = (np.abs(alone.composite.astype(int) - each.composite).mean() for each in both)
    return float(max(apart))

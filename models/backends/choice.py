"""Which backend a device gets, and proof that it computes what the reference computes."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.backdrop import Colour
from models.backends import Backend, Precision
from models.backends.torch_backend import TorchBackend
from models.device import Device, choose_device, openvino_installed
from models.errors import DeviceError
from models.graphs.runner import FrameRunner
from models.network import MattingNetwork
from models.operating_point import OperatingPoint
from models.pipeline import MattingPipeline
from models.plate import load_plate
from models.processor import processor_gains_by_int8, processor_has_bf16
from models.quantisation.ranges import Ranges, load_ranges
from models.report import I420, Composite
from models.weights import default_weights, load_network

logger = logging.getLogger(__name__)

TOLERANCE: Final = {"fp32": 0.002, "fp16": 0.01, "bf16": 0.02, "int8": 0.02}
"""Mean difference of alpha from the reference that a precision explains, with pictures of bytes; a
wrong operator or layout makes a hundred times that."""


def open_backend(
    network: MattingNetwork,
    device: Device,
    ranges: Ranges | None = None,
    precision: Precision | None = None,
) -> Backend[Any]:
    """The fastest backend here that gives the reference's answer; warns if it is not the first.

    Args:
        network: what is run.
        device: where.
        ranges: of the network's convolutions; int8 is chosen where they are proven to lose little.
        precision: on a processor, instead of the fastest one.

    Raises:
        DeviceError: an accelerator computes something else, or the precision cannot be had.
    """
    if precision is not None:
        return _open_in(precision, network, device, ranges)
    if device.kind != "cpu":
        backend: Backend[Any] = TorchBackend(network, device)
        apart = self_test(backend, network)
        if apart > _tolerance(backend):
            raise DeviceError(
                f"{backend.name} on {device.name} is off by {apart:.3f} in alpha: update its "
                "driver, or use --device cpu"
            )
        return backend
    wanted = _fastest_precision(ranges)
    for each in dict.fromkeys((wanted, _fastest_precision())):
        fast = _open_openvino(network, each, ranges) if openvino_installed() else None
        if fast is not None:
            return fast
    return TorchBackend(network, device)


def load_backend(weights: str | None, device: str) -> tuple[Backend[Any], Device, str]:
    """Backend, device and the weights' name for use on the calling thread, without an engine.

    Raises:
        WeightsError, DeviceError: what the operator asked for is not there.
    """
    chosen = choose_device(device)
    name = weights or default_weights(chosen.kind)
    network = load_network(name)
    chosen.prepare()
    return open_backend(network, chosen, load_ranges(name)), chosen, name


def explain_backend(device: Device, weights: str | None = None) -> tuple[str, str]:
    """Name and reason of the backend that `open_backend` tries first, without loading anything.

    Raises:
        WeightsError: the card of the weights is malformed.
    """
    if device.kind != "cpu":
        return "torch fp16", "an accelerator runs torch in half precision"
    if not openvino_installed():
        return "torch fp32", "OpenVINO is not installed; with it (extra `openvino`) faster"
    precision = _fastest_precision(load_ranges(weights) if weights else None)
    return f"openvino {precision}", {
        "bf16": "OpenVINO is installed and the processor multiplies bfloat16",
        "int8": "OpenVINO is installed, the processor has no bfloat16 of its own and multiplies "
        "bytes faster; the weights' card proves that they lose little",
        "fp32": "OpenVINO is installed; the processor has no bfloat16 of its own",
    }[precision]


def self_test(backend: Backend[Any], network: MattingNetwork) -> float:
    """Mean difference in alpha, 0..1, between the backend and torch in fp32 on the processor."""
    source, plate = example_pictures(96, 160)
    reference = TorchBackend(network.float(), choose_device("cpu"))
    worst = 0.0
    # Every patch or none: in reduced precision others may be the worst ones, which is no error.
    for refined in (source.shape[0] * source.shape[1], 0):
        point = OperatingPoint(base_scale=0.5, refine_pixels=refined)
        apart = _alpha(backend, source, plate, point) - _alpha(reference, source, plate, point)
        worst = max(worst, float(np.abs(apart).mean()))
    return worst


def measure(
    backend: Backend[Any], height: int, width: int, frames: FrameRunner | None = None
) -> float:
    """Milliseconds for one composite of this size, the best of a few after compiling it."""
    # Somebody who fills the picture has the rate that is recommended, too.
    pipeline = MattingPipeline(backend, frames=frames, whole=True)
    source, plate = example_pictures(height, width)
    pipeline.set_plate(load_plate(plate))
    pipeline.set_backdrop(Colour(0, 0, 0))
    frame = cv2.cvtColor(source, cv2.COLOR_RGB2YUV_I420).astype(np.uint8)
    best = float("inf")
    for _ in range(8):  # right after an installation the first ones are slow
        began = time.perf_counter()
        composite(pipeline, frame, frames)
        best = min(best, time.perf_counter() - began)
    return 1000 * best


def composite(pipeline: MattingPipeline[Any], frame: I420, frames: FrameRunner | None) -> Composite:
    """One frame alone, as a program where there are `frames`, in steps otherwise."""
    if frames is None:
        return pipeline.composite(frame)
    begun = pipeline.begin(frame)
    if isinstance(begun, Composite):
        return begun
    return pipeline.finish(begun, frames.launch([begun.job]).finish()[0])


def _fastest_precision(ranges: Ranges | None = None) -> Precision:
    """Of OpenVINO, here; int8 only where its loss was measured."""
    if ranges is not None and ranges.proven and processor_gains_by_int8():
        return "int8"
    return "bf16" if processor_has_bf16() else "fp32"


def _open_in(
    precision: Precision, network: MattingNetwork, device: Device, ranges: Ranges | None
) -> Backend[Any]:
    """What was asked for, or nothing: who names a precision wants no other."""
    if device.kind != "cpu" or not openvino_installed():
        where = "without OpenVINO" if device.kind == "cpu" else f"on {device.kind}"
        raise DeviceError(f"the precision cannot be chosen {where}: leave it out")
    if precision == "int8" and ranges is None:
        raise DeviceError(
            "these weights have no int8 ranges: run `cleanplate weights calibrate`, or take "
            "another precision"
        )
    backend = _open_openvino(network, precision, ranges)
    if backend is None:
        raise DeviceError(f"openvino {precision} cannot be used here: the log says why")
    return backend


def _open_openvino(
    network: MattingNetwork, precision: Precision, ranges: Ranges | None
) -> Backend[Any] | None:
    """`None`, with a warning, where it fails or computes something else."""
    try:
        from models.backends.openvino_backend import OpenVinoBackend

        backend = OpenVinoBackend(network, precision=precision, ranges=ranges)
        apart = self_test(backend, network)
    except (ImportError, RuntimeError, ValueError) as error:
        logger.warning(
            "openvino %s cannot be used, %s takes over, more slowly: %s",
            precision, _next(precision), error,
        )  # fmt: skip
        return None
    if apart > _tolerance(backend):
        logger.warning(
            "%s is off by %.3f in alpha, %s takes over, more slowly",
            backend.name, apart, _next(precision),
        )  # fmt: skip
        backend.close()
        return None
    return backend


def _next(precision: Precision) -> str:
    return f"openvino {_fastest_precision()}" if precision == "int8" else "torch"


def _tolerance(backend: Backend[Any]) -> float:
    return TOLERANCE[backend.name.split()[-1]]


def example_pictures(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A source with a blob on a smooth scene, and the scene."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 216, (5, 8, 3), dtype=np.uint8)
    plate = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    source = plate.copy()
    centre, axes = (width // 2, height * 2 // 3), (width // 5, height // 2)
    cv2.ellipse(source, centre, axes, 0, 0, 360, (190, 140, 110), -1, cv2.LINE_AA)
    return np.asarray(source, dtype=np.uint8), np.asarray(plate, dtype=np.uint8)


def _alpha(
    backend: Backend[Any],
    source: NDArray[np.uint8],
    plate: NDArray[np.uint8],
    point: OperatingPoint,
) -> NDArray[np.float32]:
    with torch.inference_mode():
        frames = backend.upload_rgb(source), backend.upload_rgb(plate)
        return backend.read(backend.refine(*frames, backend.base(*frames, point), point))[0]

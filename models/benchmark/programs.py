"""Whole-frame programs alone: what the device does without the engine around it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.backends import Fit
from models.benchmark.scene import Scene
from models.device import Device
from models.graphs.frame import FrameKey
from models.graphs.programs import FrameJob
from models.graphs.runner import Flight, FrameRunner

WARM_UPS: Final = 8


@dataclass(frozen=True, slots=True)
class Alone:
    """One frame at a time: up, computed, down."""

    frames: int
    p50: float
    p99: float
    """Milliseconds on the host's clock."""
    stages: dict[str, float]
    """Medians on the device's clock: upload, base (the program), download."""


@dataclass(frozen=True, slots=True)
class Batched:
    """Two batches on their way all the time."""

    count: int
    fps: float
    base: float
    """Milliseconds of the program for a whole batch, the median."""


def make_jobs(
    runner: FrameRunner, device: Device, key: FrameKey, scene: Scene, count: int
) -> list[FrameJob]:
    """`count` frames, each with a plate and a backdrop of its own, as those of streams are."""
    jobs = []
    for number in range(count):
        plate, backdrop = (
            _tensor(rgb, device) for rgb in (scene.plate, np.roll(scene.backdrop, number, axis=1))
        )
        features = runner.cache().features(plate, Fit(), key.base_size)
        source = scene.sources[number % len(scene.sources)]
        jobs.append(FrameJob(key, source, features, backdrop))
    return jobs


def measure_alone(runner: FrameRunner, job: FrameJob, seconds: float) -> Alone:
    """For `seconds`, one after the other."""
    for _ in range(WARM_UPS):
        runner.launch([job]).finish()
    times: list[float] = []
    stages: list[dict[str, float]] = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < until:
        began = time.perf_counter()
        (result,) = runner.launch([job]).finish()
        times.append(1000 * (time.perf_counter() - began))
        stages.append(result.milliseconds)
    medians = {name: float(np.median([each[name] for each in stages])) for name in stages[0]}
    return Alone(
        len(times), float(np.percentile(times, 50)), float(np.percentile(times, 99)), medians
    )


def measure_batched(runner: FrameRunner, jobs: Sequence[FrameJob], seconds: float) -> Batched:
    """For `seconds`, these jobs over and over; the next batch is launched before one is landed."""
    for _ in range(WARM_UPS):
        runner.launch(jobs).finish()
    base: list[float] = []
    batches, began = 0, time.perf_counter()
    flying: Flight = runner.launch(jobs)
    while batches < 2 or time.perf_counter() - began < seconds:
        following = runner.launch(jobs)
        base.append(flying.finish()[0].milliseconds["base"])
        batches, flying = batches + 1, following
    spent = time.perf_counter() - began
    flying.finish()
    return Batched(len(jobs), batches * len(jobs) / spent, float(np.median(base)))


def _tensor(rgb: NDArray[np.uint8], device: Device) -> torch.Tensor:
    picture = torch.from_numpy(np.ascontiguousarray(rgb)).to(device.torch_device)
    return (picture.permute(2, 0, 1)[None].float() / 255).to(device.dtype)

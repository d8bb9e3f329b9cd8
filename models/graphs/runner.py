"""Runs whole frames of many streams on one device."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.device import Device
from models.errors import MattingError
from models.graphs.features import PlateCache
from models.graphs.feeds import DeviceFeed, Feed, HostFeed, Landed
from models.graphs.frame import FrameKey, WholeFrame
from models.graphs.network import SMALL_CHANNELS, FrameNetwork
from models.graphs.pixels import Pixels, TorchPixels, open_pixels
from models.graphs.programs import FrameJob, Program, Programs, Which
from models.graphs.recording import CudaGraphs, Recorder, Steps
from models.network import MattingNetwork
from models.report import I420

logger = logging.getLogger(__name__)

BATCHES: Final = (1, 2, 4, 8)
"""Numbers of frames that get a program of their own; others go through the next larger one."""

LIMITED: Final = 30.0
"""Seconds for which frames go in smaller batches after a larger one did not fit; then somebody may
have left, and it is tried again."""

PROGRAMS_SHARE: Final = 0.25
"""Share of the device's memory that inputs, outputs and buffers of programs may take."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """What a frame's program found."""

    composite: I420
    """In memory of its own."""
    thumbnail: NDArray[np.float32]
    """(72, 128, 3), RGB of the source, 0..1."""
    alpha: NDArray[np.float32]
    """(72, 128), 0..1."""
    milliseconds: dict[str, float]
    """See `models.report.STAGES`; the whole program is `base`."""
    together: int = 1
    """Frames that it was for."""


class Flight:
    """A batch on its way."""

    def __init__(self, land: Callable[[], Landed]) -> None:
        self._land = land

    def finish(self) -> list[FrameResult]:
        """Wait for it; the results in the order of the jobs."""
        landed = self._land()
        return [
            FrameResult(
                composite,
                np.ascontiguousarray(views[:3].transpose(1, 2, 0)),
                views[3],
                dict(landed.milliseconds),
                len(landed.composites),
            )
            for composite, views in zip(landed.composites, landed.thumbnails, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on the device."""

    network: int
    programs: int
    """Inputs, outputs and buffers of the recorded programs."""
    reserved: int
    """Everything that this process holds there; 0 on a processor."""
    free: int | None
    """What nobody holds; unknown on a processor."""


class FrameRunner:
    """One network on one device. One thread uses it."""

    def __init__(
        self,
        network: MattingNetwork,
        device: Device,
        *,
        recorder: Recorder | None = None,
        pixels: Pixels | None = None,
        batches: Sequence[int] = BATCHES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`recorder` and `pixels` are chosen by the device if they are not given."""
        self._device = device
        accelerated = device.kind != "cpu"
        self._recorder = recorder or (CudaGraphs(device) if accelerated else Steps())
        self._pixels = pixels or open_pixels(device)
        self.name = f"{self._recorder.name}, {self._pixels.name}"
        self.fused = not isinstance(self._pixels, TorchPixels)
        self._network = FrameNetwork(
            network,
            device=device.torch_device,
            dtype=device.dtype,
            memory_format=device.memory_format,
        )
        self._batches = tuple(batches)
        self._clock = clock
        self._limits: dict[tuple[int, int], tuple[int, float]] = {}
        """By height and width: frames that may be launched together, and until when."""
        total = device.memory_bytes()
        self._programs = Programs(
            self._make,
            most_bytes=None if total is None else int(PROGRAMS_SHARE * total),
            dismiss=device.wait,
        )
        self._make_feed = self._feeds()

    def cache(self) -> PlateCache:
        """A place for one stream's plate."""
        return PlateCache(self._network)

    def limit(self, key: FrameKey) -> int:
        """How many frames of this kind may be launched together."""
        limit, until = self._limits.get((key.height, key.width), (self._batches[-1], math.inf))
        return limit if self._clock() < until else self._batches[-1]

    def launch(self, jobs: Sequence[FrameJob]) -> Flight:
        """Start frames of one key, `limit` at most; at most two launches are on their way.

        Raises:
            MattingError: the device has no room for them; nobody else's frames are affected.
        """
        if len({job.key for job in jobs}) != 1:
            raise ValueError("frames of different sizes or operating points are different programs")
        key = jobs[0].key
        count = next(size for size in self._batches if size >= len(jobs))
        return Flight(self._program(Which(key, count)).launch(jobs))

    def memory(self) -> Memory:
        """What is held now."""
        return Memory(
            network=self._network.bytes,
            programs=self._programs.bytes,
            reserved=self._device.reserved_bytes(),
            free=self._device.free_bytes(),
        )

    def stream_bytes(self, key: FrameKey) -> int:
        """What one stream of this kind holds on the device: plate, its features, backdrop."""
        network, item = self._network, self._network.dtype.itemsize
        height, width = key.padded
        rows, columns = key.base_size
        around, around_half = 2 * network.refiner.margin, 2 * network.refiner.margin_half
        half = network.base.plate_half
        numbers = (
            2 * 3 * key.height * key.width
            + 3 * (height + around) * (width + around)
            + 3 * (height // 2 + around_half) * (width // 2 + around_half)
            + SMALL_CHANNELS * rows * columns
            + half.out_channels * -(-rows // 2) * -(-columns // 2)
        )
        return numbers * item

    def require_room(self, key: FrameKey) -> None:
        """Raises `MattingError` where a stream of this kind would not fit any more."""
        free, needed = self._device.free_bytes(), self.stream_bytes(key)
        if free is not None and free < needed:
            raise MattingError(
                f"the memory of {self._device.name} is full: a stream of {key.width}x{key.height} "
                f"takes {needed / 1e6:.0f} MB and {free / 1e6:.0f} MB are free; close another one"
            )

    def _program(self, which: Which) -> Program:
        try:
            return self._programs.get(which)
        except torch.OutOfMemoryError as error:
            reason = error
        self._device.release_memory()
        # Programs that nobody used for seconds make room; those of others in use do not.
        if self._programs.drop_idle():
            self._device.release_memory()
            try:
                return self._programs.get(which)
            except torch.OutOfMemoryError as error:
                reason = error
            self._device.release_memory()
        key, count = which
        smaller = [size for size in self._batches if size < count]
        if smaller:
            self._limits[key.height, key.width] = (smaller[-1], self._clock() + LIMITED)
        raise MattingError(
            f"the memory of {self._device.name} is full: {count} frames of {key.width}x{key.height}"
            " do not fit; close another stream or take a smaller picture"
        ) from reason

    def _make(self, which: Which) -> Program:
        frame = WholeFrame(self._network, which.key, which.frames, self._pixels)
        program = Program(frame, self._recorder.record(frame.run), self._make_feed(frame))
        logger.debug(
            "recorded %d frames of %dx%d as %s",
            which.frames, which.key.width, which.key.height, self.name,
        )  # fmt: skip
        return program

    def _feeds(self) -> Callable[[WholeFrame], Feed]:
        device = self._device
        if device.kind == "cpu":
            return lambda frame: HostFeed(frame.lanes, frame.finished)
        upload, download = (torch.cuda.Stream(device.torch_device) for _ in range(2))
        return lambda frame: DeviceFeed(
            frame.lanes, frame.finished, device, upload=upload, download=download
        )

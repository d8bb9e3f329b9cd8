"""Frames on their way to a program and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.device import Device
from models.graphs.frame import Finished, Lanes
from models.report import I420


class Landed(NamedTuple):
    """What came back from a program."""

    composites: Sequence[I420]
    """Each in memory of its own."""
    thumbnails: NDArray[np.float32]
    """(N, 4, 72, 128): RGB and alpha."""
    milliseconds: Mapping[str, float]
    """Of upload, base (the whole program) and download."""


class Feed(Protocol):
    """Moves the frames of one program. Per batch: `send`, the program, `fetch`."""

    bytes: int
    """Kept on the device, besides the program's own inputs and outputs."""

    def send(self, frames: Sequence[I420]) -> None:
        """Into the program's first lanes."""

    def fetch(self, count: int) -> Callable[[], Landed]:
        """The first `count` results; what is returned waits for them."""


class HostFeed:
    """The program runs in the host's own memory."""

    bytes = 0

    def __init__(self, lanes: Lanes, finished: Finished) -> None:
        self._lanes, self._finished = lanes, finished
        self._began = self._sent = 0.0

    @torch.inference_mode()
    def send(self, frames: Sequence[I420]) -> None:
        """See `Feed`."""
        self._began = time.perf_counter()
        for lane, frame in enumerate(frames):
            self._lanes.frames[lane].copy_(_tensor(frame))
        self._sent = time.perf_counter()

    def fetch(self, count: int) -> Callable[[], Landed]:
        """See `Feed`. Copied at once: the next batch overwrites them."""
        done = time.perf_counter()
        composites = [frame.numpy().copy() for frame in self._finished.composites[:count]]
        thumbnails = self._finished.thumbnails[:count].numpy().copy()
        times = {
            "upload": 1000 * (self._sent - self._began),
            "base": 1000 * (done - self._sent),
            "download": 1000 * (time.perf_counter() - done),
        }
        return lambda: Landed(composites, thumbnails, times)


class DeviceFeed:
    """Pinned memory and two sets of buffers: while one batch is computed, the next one goes up and
    the last one comes down.

    A batch is copied once more on the device on either side of the program (1.5 bytes a pixel, a
    microsecond for HD), so that the program's own inputs and outputs are busy only while it runs.
    """

    def __init__(
        self,
        lanes: Lanes,
        finished: Finished,
        device: Device,
        *,
        upload: torch.cuda.Stream,
        download: torch.cuda.Stream,
    ) -> None:
        self._lanes, self._finished = lanes, finished
        self._where = device.torch_device
        self._upload, self._download = upload, download
        self._buffers = [_Buffers.like(lanes.frames, finished.thumbnails) for _ in range(2)]
        self._flying = [False, False]
        self._turn = 0
        self.bytes = sum(each.bytes for each in self._buffers)

    @torch.inference_mode()
    def send(self, frames: Sequence[I420]) -> None:
        """See `Feed`."""
        if self._flying[self._turn]:
            raise RuntimeError("two batches are on their way already: land one first")
        buffers, count = self._buffers[self._turn], len(frames)
        buffers.uploaded.synchronize()  # of a batch that failed on its way
        for lane, frame in enumerate(frames):
            buffers.host_in[lane].copy_(_tensor(frame))
        with torch.cuda.stream(self._upload):
            self._upload.wait_event(buffers.consumed)
            buffers.began.record(self._upload)
            buffers.device_in[:count].copy_(buffers.host_in[:count], non_blocking=True)
            buffers.uploaded.record(self._upload)
        compute = torch.cuda.current_stream(self._where)
        compute.wait_event(buffers.uploaded)
        buffers.started.record(compute)
        self._lanes.frames[:count].copy_(buffers.device_in[:count])
        buffers.consumed.record(compute)

    @torch.inference_mode()
    def fetch(self, count: int) -> Callable[[], Landed]:
        """See `Feed`."""
        turn = self._turn
        buffers = self._buffers[turn]
        compute = torch.cuda.current_stream(self._where)
        compute.wait_event(buffers.downloaded)
        buffers.device_out[:count].copy_(self._finished.composites[:count])
        buffers.device_views[:count].copy_(self._finished.thumbnails[:count])
        buffers.computed.record(compute)
        shape = tuple(buffers.host_in.shape[1:])
        # torch keeps pinned memory that was let go: after some frames nothing is allocated.
        host = [torch.empty(shape, dtype=torch.uint8, pin_memory=True) for _ in range(count)]
        with torch.cuda.stream(self._download):
            self._download.wait_event(buffers.computed)
            for lane, frame in enumerate(host):
                frame.copy_(buffers.device_out[lane], non_blocking=True)
            buffers.host_views[:count].copy_(buffers.device_views[:count], non_blocking=True)
            buffers.downloaded.record(self._download)
        self._flying[turn], self._turn = True, 1 - turn

        def land() -> Landed:
            self._flying[turn] = False
            buffers.downloaded.synchronize()
            times = {
                "upload": buffers.began.elapsed_time(buffers.uploaded),
                "base": buffers.started.elapsed_time(buffers.computed),
                "download": buffers.computed.elapsed_time(buffers.downloaded),
            }
            views = buffers.host_views[:count].numpy().copy()
            return Landed([frame.numpy() for frame in host], views, times)

        return land


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)


@dataclass(frozen=True, slots=True)
class _Buffers:
    """What one batch uses on its way."""

    host_in: Tensor
    device_in: Tensor
    device_out: Tensor
    device_views: Tensor
    host_views: Tensor
    began: torch.cuda.Event = field(default_factory=_event)
    uploaded: torch.cuda.Event = field(default_factory=_event)
    started: torch.cuda.Event = field(default_factory=_event)
    consumed: torch.cuda.Event = field(default_factory=_event)
    computed: torch.cuda.Event = field(default_factory=_event)
    downloaded: torch.cuda.Event = field(default_factory=_event)

    @classmethod
    def like(cls, frames: Tensor, views: Tensor) -> _Buffers:
        """Of the shapes of a program's input and output."""
        return cls(
            host_in=torch.empty(frames.shape, dtype=torch.uint8, pin_memory=True),
            device_in=torch.empty_like(frames),
            device_out=torch.empty_like(frames),
            device_views=torch.empty_like(views),
            host_views=torch.empty(views.shape, pin_memory=True),
        )

    @property
    def bytes(self) -> int:
        """On the device."""
        parts = (self.device_in, self.device_out, self.device_views)
        return sum(part.numel() * part.element_size() for part in parts)


def _tensor(frame: I420) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frame))

"""Turning a program's work into something that can be repeated cheaply."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Final, Protocol

import torch

from models.device import Device

Work = Callable[[], None]

WARM_UPS: Final = 3
"""Runs before recording: cuDNN searches in the first, and libraries allocate what they keep."""


class Recorder(Protocol):
    """Makes work repeatable."""

    name: str
    """For people: `steps`, `graphs`."""

    def record(self, work: Work) -> Work:
        """What does `work` again, on the same places in memory.

        Raises:
            torch.OutOfMemoryError: the device has no room for what is between input and output.
            RuntimeError: the work cannot be recorded.
        """


class Steps:
    """Every kernel is started by hand, every time: for processors, and where graphs fail."""

    name = "steps"

    def record(self, work: Work) -> Work:
        """The work itself."""
        return work


class CudaGraphs:
    """One command a frame. What lies between input and output shares one pool of memory.

    Sharing is safe because one thread replays on one stream, and because inputs and outputs are
    not in the pool.
    """

    name = "graphs"

    def __init__(self, device: Device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device.torch_device)
        self._pool: Any = None
        self._alive: weakref.WeakSet[torch.cuda.CUDAGraph] = weakref.WeakSet()

    def record(self, work: Work) -> Work:
        """See `Recorder`. Takes about a second, most of it cuDNN's search; the device waits."""
        current = torch.cuda.current_stream(self._device.torch_device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            # Whatever does not fit shows here, where it harms nobody, and not while recording.
            for _ in range(WARM_UPS):
                work()
        current.wait_stream(self._stream)
        self._device.wait()
        if self._pool is None or not self._alive:
            self._pool = torch.cuda.graph_pool_handle()  # a pool dies with its last graph
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(
            graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
        ):
            work()
        self._alive.add(graph)
        return graph.replay

"""A backend that knows who the person is, in steps and as programs: arithmetic without networks."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from models.backends import Cutout, Fit
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.errors import MattingError
from models.graphs.frame import FrameKey
from models.graphs.programs import FrameJob
from models.graphs.runner import FrameResult, Memory
from models.operating_point import OperatingPoint
from models.tracking import THUMBNAIL
from tests.models.random_network import make_network

PATIENCE = 60


class Ideal(TorchBackend):
    """Whatever differs from the fitted plate is the person."""

    def __init__(self) -> None:
        super().__init__(make_network(), choose_device("cpu"))

    def base(self, source: Any, plate: Any, point: OperatingPoint) -> Any:
        return (source - plate).abs().amax(1, keepdim=True) > 0.15

    def refine(self, source: Any, plate: Any, coarse: Any, point: OperatingPoint) -> Cutout[Any]:
        return Cutout(coarse.to(source.dtype), source)


class IdealFrames:
    """The same as programs, behind the interface of a runner; waits or fails when told to."""

    def __init__(self, backend: Ideal) -> None:
        self.backend = backend
        self.plates: list[Any] = []
        self.launches: list[list[int]] = []
        self.gate: threading.Event | None = None
        self.landing = threading.Event()
        self.failures: dict[int, Exception] = {}
        self.full = False

    def cache(self) -> IdealFrames:
        return self

    def features(self, plate: Any, fit: Fit, base_size: tuple[int, int]) -> Any:
        self.plates.append(self.backend.adjust(plate, fit))
        return self.plates[-1]

    def clear(self) -> None:
        self.plates.clear()

    def limit(self, key: FrameKey) -> int:
        return 4

    def require_room(self, key: FrameKey) -> None:
        if self.full:
            raise MattingError("the memory is full")

    def memory(self) -> Memory:
        return Memory(1, 2, 3, 4)

    def launch(self, jobs: Sequence[FrameJob]) -> IdealFlight:
        """A frame is known by its first byte."""
        self.launches.append([int(job.source[0, 0]) for job in jobs])
        return IdealFlight(self, jobs)


class IdealFlight:
    def __init__(self, frames: IdealFrames, jobs: Sequence[FrameJob]) -> None:
        self._frames, self._jobs = frames, jobs

    def finish(self) -> list[FrameResult]:
        frames = self._frames
        frames.landing.set()
        if frames.gate is not None:
            assert frames.gate.wait(PATIENCE)
        for job in self._jobs:
            failure = frames.failures.get(int(job.source[0, 0]))
            if failure is not None:
                raise failure
        return [self._one(job) for job in self._jobs]

    def _one(self, job: FrameJob) -> FrameResult:
        backend, point = self._frames.backend, job.key.point
        plate: Any = job.features
        image = backend.upload(job.source)
        cutout = backend.refine(image, plate, backend.base(image, plate, point), point)
        return FrameResult(
            backend.download(backend.compose(cutout, job.backdrop)),
            backend.thumbnail(image, *THUMBNAIL),
            backend.alpha_thumbnail(cutout, *THUMBNAIL),
            {"base": 1.0},
        )

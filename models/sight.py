"""What a stream's network sees of its frames, as far as its backend can do it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backends import Backend
from models.lookout import Lookout
from models.operating_point import OperatingPoint
from models.region import Region, Size


class Sight:
    """Of one stream: all of every frame, or the region that a lookout names."""

    def __init__(
        self,
        backend: Backend[Any],
        *,
        whole: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`whole`: always all of it; `clock` gives seconds."""
        self._backend, self._clock = backend, clock
        self._lookout = None if whole else Lookout(clock)

    @property
    def usual(self) -> bool:
        """Whether frames will go on to be seen as the last one was: what it cost is a measure."""
        return self._lookout is None or self._lookout.usual

    def region(
        self,
        size: Size,
        apart: NDArray[np.float32],
        alpha: NDArray[np.float32] | None,
        point: OperatingPoint,
    ) -> Region:
        """What has to be seen of a frame, see `Lookout.region`."""
        if self._lookout is None:
            return Region.whole(size)
        backend = self._backend

        def can(part: Region) -> bool | None:
            return None if backend.broken(*part.size, point) else backend.ready(*part.size, point)

        return self._lookout.region(size, apart, alpha, can)

    def prepared(self, height: int, width: int, point: OperatingPoint) -> bool:
        """Whether frames of this size could be seen as those before were; if not, they soon can."""
        backend, shape = self._backend, (height, width)
        if backend.broken(height, width, point):
            return False
        if self._lookout is not None:
            shape = self._lookout.shape(shape)
        return backend.broken(*shape, point) or backend.ready(*shape, point)

    def begin_anew(self) -> None:
        """Frames show something else from now on."""
        if self._lookout is not None:
            self._lookout = Lookout(self._clock)

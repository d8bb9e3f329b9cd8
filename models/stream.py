"""One stream of an engine: its calls, in order, as Futures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.backdrop import Backdrop
from models.call import Call, FrameCall
from models.errors import MattingError
from models.pipeline import MattingPipeline
from models.plate import Plate, learn_plate, load_plate
from models.report import I420, Composite, PlateReport

Result = TypeVar("Result")


class Host(Protocol):
    """What a stream needs of its engine; called from any thread."""

    def submit(self, stream: InProcessStream, call: Call[Any]) -> None:
        """Queue a call for the matting thread."""

    def learn(
        self, future: Future[PlateReport], work: Callable[[], Plate], then: Callable[[Plate], None]
    ) -> None:
        """Make a plate beside the matting thread, then hand it over."""

    def remove(self, stream: InProcessStream) -> None:
        """Forget the stream; its waiting calls fail."""


class InProcessStream:
    """Implements `gateway.matting.MattingStream`."""

    def __init__(self, engine: Host, pipeline: MattingPipeline[Any]) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._plates = 0
        self.closed = False

    def composite(self, source: I420) -> Future[Composite]:
        """The frame with its scene replaced; without a plate, the backdrop only."""
        future: Future[Composite] = Future()
        self._engine.submit(self, FrameCall(future, self._pipeline, source))
        return future

    def learn_plate(self, shots: Sequence[I420]) -> Future[PlateReport]:
        """Learn the scene from frames without a person.

        The Future fails with `PlateRefused` when they do not show one; the old plate stays then.
        """
        kept = list(shots)
        return self._change_plate(lambda: learn_plate(kept))

    def load_plate(self, rgb: NDArray[np.uint8]) -> Future[PlateReport]:
        """Take the scene from a picture (H, W, 3)."""
        return self._change_plate(lambda: load_plate(rgb), proven=False)

    def distrust_plate(self) -> Future[None]:
        """Another camera may be looking: show nobody until the plate has fitted again."""
        return self._submit(self._pipeline.distrust_plate)

    def forget_plate(self) -> Future[None]:
        """Show the backdrop only from the next frame on."""
        self._plates += 1
        return self._submit(lambda: self._pipeline.set_plate(None))

    def plate_picture(self) -> Future[NDArray[np.uint8] | None]:
        """The plate (H, W, 3), RGB; `None` without one."""
        return self._submit(self._copy_plate)

    def set_backdrop(self, backdrop: Backdrop) -> Future[None]:
        """Show this behind the person from the next frame on."""
        return self._submit(lambda: self._pipeline.set_backdrop(backdrop))

    def close(self) -> None:
        """Free the stream's plate and pictures; calls that wait fail. Never blocks."""
        self._engine.remove(self)

    def _submit(self, work: Callable[[], Result]) -> Future[Result]:
        future: Future[Result] = Future()
        self._engine.submit(self, Call(future, work))
        return future

    def _change_plate(
        self, work: Callable[[], Plate], *, proven: bool = True
    ) -> Future[PlateReport]:
        self._plates += 1
        number = self._plates
        future: Future[PlateReport] = Future()

        def install(plate: Plate) -> PlateReport:
            # Made beside the matting thread: a later call must not be undone by an earlier one.
            if number != self._plates:
                raise MattingError("a later call has changed the plate")
            self._pipeline.set_plate(plate, proven=proven)
            return plate.report

        def then(plate: Plate) -> None:
            self._engine.submit(self, Call(future, lambda: install(plate), started=True))

        self._engine.learn(future, work, then)
        return future

    def _copy_plate(self) -> NDArray[np.uint8] | None:
        plate = self._pipeline.plate
        return None if plate is None else plate.rgb.copy()

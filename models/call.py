"""Work that another thread does for someone who waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Generic, TypeVar

import torch

from models.begun import Begun
from models.errors import MattingError
from models.graphs.frame import FrameKey
from models.graphs.runner import FrameResult
from models.pipeline import MattingPipeline
from models.report import I420, Composite

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Other = TypeVar("Other")

NO_ROOM: Final = (
    "the device's memory is full and this stream was refused: close another one, or take a "
    "smaller picture"
)


class Call(Generic[Result]):
    """Work for a thread and the Future of whoever waits for it."""

    def __init__(
        self, future: Future[Any], work: Callable[[], Result], *, started: bool = False
    ) -> None:
        self._future, self._work, self._started = future, work, started

    def run(self) -> None:
        """Do the work; the Future gets its result or its error."""
        result = self.attempt()
        if not self._future.done():
            self._future.set_result(result)

    def attempt(self) -> Result | None:
        """Do the work; an error goes to the Future, a result comes back."""
        return self._guard(self._work) if self._begin() else None

    def fail(self, error: MattingError) -> None:
        """Give up before starting."""
        if self._begin():
            self._future.set_exception(error)

    def _begin(self) -> bool:
        """Whether somebody still waits."""
        return self._started or self._future.set_running_or_notify_cancel()

    def _guard(self, work: Callable[[], Other]) -> Other | None:
        """Do a piece of the work; an error goes to the Future."""
        try:
            return work()
        except MattingError as error:
            if isinstance(error.__cause__, torch.OutOfMemoryError):
                self._free()
            self._future.set_exception(error)
        except torch.OutOfMemoryError as error:
            self._free()
            refusal = MattingError(NO_ROOM)
            refusal.__cause__ = error
            self._future.set_exception(refusal)
        except Exception as error:
            # torch, OpenVINO and OpenCV raise what they like; whoever waits must hear of it.
            logger.debug("a call of the matting thread failed", exc_info=True)
            failure = MattingError(f"matting failed: {error}")
            failure.__cause__ = error
            self._future.set_exception(failure)
        return None

    def _free(self) -> None:
        """Give back what this work had taken, where others may need it."""


class FrameCall(Call[Composite]):
    """A frame to composite: in steps, or as part of a batch."""

    def __init__(
        self, future: Future[Composite], pipeline: MattingPipeline[Any], source: I420
    ) -> None:
        super().__init__(future, lambda: pipeline.composite(source))
        self._pipeline, self._source = pipeline, source

    def key(self) -> FrameKey | None:
        """The program it goes through; `None` if it is done in steps."""
        try:
            return self._pipeline.key(self._source)
        except MattingError:
            return None  # whoever waits hears of it when the frame's turn has come

    def begin(self) -> Begun | None:
        """Its part of a batch; `None` if there is nothing to do any more."""
        if not self._begin():
            return None
        begun = self._guard(lambda: self._pipeline.begin(self._source))
        if isinstance(begun, Composite):
            self._future.set_result(begun)
            return None
        return begun

    def finish(self, begun: Begun, fly: Callable[[], FrameResult]) -> None:
        """Wait for what the program finds; the Future gets the composite or the error."""
        composite = self._guard(lambda: self._pipeline.finish(begun, fly()))
        if composite is not None:
            self._future.set_result(composite)

    def _free(self) -> None:
        self._pipeline.free()

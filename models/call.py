"""Work that another thread does for someone who waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from models.errors import MattingError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


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
        if not self._started and not self._future.set_running_or_notify_cancel():
            return None
        try:
            return self._work()
        except MattingError as error:
            self._future.set_exception(error)
        except Exception as error:
            # torch, OpenVINO and OpenCV raise what they like; whoever waits must hear of it.
            logger.debug("a call of the matting thread failed", exc_info=True)
            failure = MattingError(f"matting failed: {error}")
            failure.__cause__ = error
            self._future.set_exception(failure)
        return None

    def fail(self, error: MattingError) -> None:
        """Give up before starting."""
        if self._started or self._future.set_running_or_notify_cancel():
            self._future.set_exception(error)

"""Frames of several streams on their way through a device together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from models.begun import Begun
from models.call import FrameCall
from models.graphs.frame import FrameKey
from models.graphs.runner import Flight, FrameResult, FrameRunner

logger = logging.getLogger(__name__)

Seat = tuple[FrameCall, Begun]


class Batch:
    """Calls that have begun. A failure of one, or of all together, is not another's failure."""

    def __init__(self, runner: FrameRunner, calls: Sequence[FrameCall]) -> None:
        """Begin and launch: returns while the device works."""
        self._runner = runner
        begun = [(call, begun) for call in calls if (begun := call.begin()) is not None]
        groups: dict[FrameKey, list[Seat]] = {}
        for seat in begun:
            groups.setdefault(seat[1].job.key, []).append(seat)
        # One group, unless an operating point has changed between the choice and the beginning.
        first, *others = groups.values() if groups else [[]]
        self._alone = [seat for group in others for seat in group]
        self._together: list[Seat] = first
        self._flight: Flight | None = None
        self._failure: Exception | None = None
        if first:
            try:
                self._flight = runner.launch([seat.job for _, seat in first])
            except Exception as error:  # whatever torch raises: see Call
                self._failure = error

    def __len__(self) -> int:
        """Frames that are on their way."""
        return len(self._together) + len(self._alone)

    def finish(self) -> None:
        """Wait for the device; every Future gets its composite or its own error."""
        results = self._results()
        for number, (call, begun) in enumerate(self._together):
            if results is not None:
                call.finish(begun, _given(results[number]))
            elif len(self._together) == 1 and self._failure is not None:
                call.finish(begun, _raising(self._failure))
            else:
                self._fly_alone(call, begun)
        for call, begun in self._alone:
            self._fly_alone(call, begun)

    def _results(self) -> list[FrameResult] | None:
        if self._flight is None:
            return None
        try:
            return self._flight.finish()
        except Exception as error:  # as above
            logger.debug("%d frames failed together", len(self._together), exc_info=True)
            self._failure = error
            return None

    def _fly_alone(self, call: FrameCall, begun: Begun) -> None:
        call.finish(begun, lambda: self._runner.launch([begun.job]).finish()[0])


def _given(result: FrameResult) -> Callable[[], FrameResult]:
    return lambda: result


def _raising(error: Exception) -> Callable[[], FrameResult]:
    def fly() -> FrameResult:
        raise error

    return fly

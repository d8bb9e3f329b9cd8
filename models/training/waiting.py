"""How much of its time the device waits for data."""

from __future__ import annotations

import time

import torch


class Waiting:
    """Two marks a step, on the device's own clock where it works on its own.

    So the share is right although steps are only handed to an accelerator and run later.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._steps: list[tuple[float | torch.Event, float | torch.Event]] = []
        self._began: float | torch.Event = 0.0
        self.reset()

    def reset(self) -> None:
        """Begin to count anew; what lies before the next step does not count."""
        self._steps.clear()
        self._waited = self._worked = 0.0
        self._count = 0

    def began(self) -> None:
        """A step's data is there, the step begins."""
        self._began = self._mark()

    def ended(self) -> None:
        """The step is done, or handed to the device."""
        self._steps.append((self._began, self._mark()))
        self._count += 1

    def tally(self) -> tuple[float, float]:
        """Seconds a step since `reset`, and the share of them that the device waited for data."""
        for index, (began, ended) in enumerate(self._steps):
            self._worked += _seconds(began, ended)
            if index:
                self._waited += _seconds(self._steps[index - 1][1], began)
        del self._steps[:-1]
        if self._steps:
            # The last stays as the beginning of the next gap; its work is counted already.
            self._steps[0] = (self._steps[0][1], self._steps[0][1])
        total = self._waited + self._worked
        return (total / self._count, self._waited / total) if total else (0.0, 0.0)

    def _mark(self) -> float | torch.Event:
        if self._device.type == "cpu":
            return time.perf_counter()
        event = torch.Event(self._device, enable_timing=True)
        event.record()
        return event


def _seconds(start: float | torch.Event, end: float | torch.Event) -> float:
    if isinstance(start, float):
        assert isinstance(end, float)
        return end - start
    assert isinstance(end, torch.Event)
    end.synchronize()
    return start.elapsed_time(end) / 1000

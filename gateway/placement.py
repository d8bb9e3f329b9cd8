"""Which worker holds which stream."""

from __future__ import annotations

from typing import Protocol

from gateway.worker import Worker


class Placement(Protocol):
    """Decides which worker holds a stream. In this process there is one; others may follow."""

    def place(self, name: str) -> Worker:
        """The worker for a stream that is to be published; may raise `Elsewhere`."""

    def holding(self, name: str) -> Worker:
        """The worker where this stream lives: its watchers must go there too; as `place`."""


class InThisProcess:
    """The `Placement` with one worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def place(self, name: str) -> Worker:
        """See `Placement`."""
        return self._worker

    def holding(self, name: str) -> Worker:
        """See `Placement`."""
        return self._worker

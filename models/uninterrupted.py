"""Child processes that a terminal's signals do not end: their parent does, in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Final

SIGNALS: Final = frozenset({signal.SIGINT, signal.SIGTERM})
"""What Ctrl-C and `timeout` send to a whole process group."""


@contextmanager
def uninterrupted(signals: frozenset[signal.Signals] = SIGNALS) -> Iterator[None]:
    """Processes started within do not hear `signals`, from before their first line on."""
    # Started with the first process, it would let them through again (Python 3.11).
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def hear_again(signals: frozenset[signal.Signals] = SIGNALS) -> None:
    """In such a process: listen from now on, to what is sent from now on."""
    while signal.sigtimedwait(signals, 0):
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)

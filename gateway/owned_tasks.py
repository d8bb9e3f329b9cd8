"""Tasks with an owner, who ends them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")


class OwnedTasks:
    """Tasks that outlive the request that began them; none outlives `close`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run until done; what it raises goes to the log with its traceback."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        """Cancel all and wait for them."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a session failed: %s", error, exc_info=error)


async def apart(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` in a task of its own, where no cancellation of ours is lost, nor the task.

    A TaskGroup that is cancelled while it fails raises its failure alone, and until Python 3.13
    `cancelling` does not tell either (CPython issue 116720): who tries again after that failure
    would go on for ever.
    """
    task = asyncio.get_running_loop().create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            # It is passed on each time, as the work may be closing something when the next comes.
            task.cancel()
            cancelled = True
    if not cancelled:
        return task.result()
    if not task.cancelled():
        # Whatever it was, nobody waits for it.
        task.exception()
    raise asyncio.CancelledError

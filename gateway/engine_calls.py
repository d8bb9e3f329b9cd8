"""Waiting for what the engine was asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from models.errors import PictureError, PlateRefused

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE: Final = 20.0
"""Seconds that a call to the engine, other than a frame, may take."""


class EngineFailed(Exception):
    """Ours: the engine did not do what it was asked."""


class EngineSilent(EngineFailed):
    """It did not answer in time; what it was asked may happen all the same."""


async def answered(future: Future[T], check: Callable[[], object] = lambda: None) -> T:
    """Wait for an engine's answer; raises what it blames on the caller, else `EngineFailed`.

    `check` runs before the answer is looked at, and may raise: who was overtaken meanwhile is told
    so, and not what became of a call that nobody wants any more.
    """
    wrapped = asyncio.wrap_future(future)
    done, _ = await asyncio.wait([wrapped], timeout=PATIENCE)
    try:
        check()
    except BaseException:
        # Also keeps asyncio from reporting an error that nobody fetches.
        wrapped.add_done_callback(lambda it: it.cancelled() or it.exception())
        wrapped.cancel()
        raise
    if not done:
        wrapped.cancel()
        raise EngineSilent(f"The engine did not answer within {PATIENCE:.0f} s.")
    error = wrapped.exception()
    if isinstance(error, PlateRefused | PictureError):
        raise error
    if error is not None:
        logger.error("the engine fails: %s", error, exc_info=error)
        raise EngineFailed("The engine failed; its operator finds more in the log.") from error
    return wrapped.result()

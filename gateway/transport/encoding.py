"""Threads on which outgoing media are encoded, and what they can encode with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from aiortc import RTCRtpSender

from gateway.owned_tasks import OwnedTasks
from gateway.transport import hidden
from gateway.transport.compressors import has_nvenc

logger = logging.getLogger(__name__)


class Encoding:
    """What all outgoing streams of a process share.

    aiortc 1.16 encodes on the loop's default executor, where a dozen videos would keep name
    look-ups, pictures and files waiting. Threads are made when they are needed.
    """

    def __init__(self, streams: int) -> None:
        self.nvenc = False
        """Whether H.264 may be encoded by an NVIDIA card."""
        self.threads = ThreadPoolExecutor(streams, thread_name_prefix="gateway-encoder")
        self.tasks = OwnedTasks()
        """What goes on for encoders that senders share."""

    def probe(self) -> None:
        """Find out what the machine has; not for the event loop, as drivers take their time."""
        self.nvenc = has_nvenc()
        logger.info("H.264 is encoded by %s", "NVENC, else x264" if self.nvenc else "x264")

    async def close(self) -> None:
        """Wait for the frames in work; everybody who sends has ended before."""
        await self.tasks.close()
        await asyncio.to_thread(self.threads.shutdown)


class EncoderLoop:
    """The part of the event loop that aiortc's sender knows, with threads of our own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: Executor) -> None:
        self._loop = loop
        self._threads = threads

    def run_in_executor(
        self, executor: None, function: Callable[..., Any], *arguments: Any
    ) -> asyncio.Future[Any]:
        """As the loop's; the default executor is ours."""
        return self._loop.run_in_executor(self._threads, function, *arguments)


def encode_on(sender: RTCRtpSender, threads: Executor) -> None:
    """Make a sender encode on these threads."""
    loop = hidden.read(sender, RTCRtpSender, "loop")
    hidden.write(sender, RTCRtpSender, "loop", EncoderLoop(loop, threads))

"""What feeds a stream from a connection that the gateway opened itself."""

from __future__ import annotations

import asyncio

from gateway.stream import Stream


class Feed:
    """Stands among a worker's publications, for as long as `Worker.feeding` is entered."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.over = asyncio.Event()
        """Set when somebody with the stream's key takes it over, or the server stops."""
        self.reason = ""
        """Why it is over, for people."""
        self.finished = asyncio.Event()
        """Set when the stream can be fed by somebody else."""

    def end(self, reason: str) -> None:
        """Ask whoever feeds to leave; `finished` tells when that is done."""
        if not self.over.is_set():
            self.reason = reason
            self.over.set()

"""More watchers of a stream, who take all of it and look at none: what they cost the server."""

from __future__ import annotations

from collections.abc import Callable

from aiortc import RTCRtpReceiver

from gateway.transport import hidden
from gateway.transport.backlog import Encoded
from gateway.transport.connection import Connection


class Onlooker:
    """Counts encoded frames, and none is decoded.

    Decoders of many watchers would take the processor from the server that is measured.
    """

    def __init__(self, connection: Connection) -> None:
        """`connection` is to receive one video, and has not made its offer yet."""
        self.frames = 0
        (receiver,) = connection.getReceivers()
        backlog = hidden.read(receiver, RTCRtpReceiver, "decoder_queue")
        self._put: Callable[[Encoded | None], None] = backlog.put
        hidden.replace(backlog, "put", self._count)

    def _count(self, task: Encoded | None) -> None:
        if task is None:
            self._put(None)
        else:
            self.frames += 1

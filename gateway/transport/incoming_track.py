"""What a receiver gives its media to: aiortc's `RemoteStreamTrack`, as this package fills it."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

from aiortc import RTCRtpReceiver

from gateway.capture import Timeline


class IncomingTrack(Protocol):
    """Not in aiortc's types: where the track reads from, and what we add for `captured`."""

    kind: str
    _queue: asyncio.Queue[Any]
    timeline: Timeline


def incoming(receiver: RTCRtpReceiver) -> IncomingTrack | None:
    """The receiver's track, `None` before the other side was heard of."""
    return cast(IncomingTrack | None, receiver.track)

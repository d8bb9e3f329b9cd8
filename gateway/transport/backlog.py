"""Bounded queues around a decoder.

aiortc 1.16 puts encoded frames into an unbounded `queue.Queue` in front of the decoder's thread
and decoded ones into an unbounded `asyncio.Queue` behind it. These two take their places.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from gateway.stats import Arrivals

VIDEO_BACKLOG: Final = 15
"""Encoded frames: a quarter of a second at 60 fps; a decoder further behind will not catch up."""
ASK_AGAIN: Final = 0.5
"""Seconds between two requests for a key frame."""
AFTER_ONE: Final = 0.1
"""The same when the one that was requested has come and something was lost again."""

Encoded = tuple[RTCRtpCodecParameters, JitterFrame]


def is_key_frame(codec: RTCRtpCodecParameters, data: bytes) -> bool:
    """Whether decoding can begin here: VP8 (RFC 6386, 9.1) or H.264 (Annex B); else always."""
    if codec.name == "VP8":
        return len(data) > 0 and not data[0] & 1
    if codec.name == "H264":
        return _begins_with_idr(data)
    return True


def _begins_with_idr(data: bytes) -> bool:
    """Whether an IDR slice (5), or the parameters (7) before one, come before other slices.

    Delimiters (9) and messages such as x264's (6) may stand first.
    """
    at = data.find(b"\x00\x00\x01")
    while at >= 0 and at + 3 < len(data):
        kind = data[at + 3] & 0x1F
        if kind in (5, 7):
            return True
        if kind in (1, 2):
            return False
        at = data.find(b"\x00\x00\x01", at + 3)
    return False


def vp8_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in a VP8 key frame's header (RFC 6386, 9.1), `None` in other frames."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    return (
        int.from_bytes(data[6:8], "little") & 0x3FFF,
        int.from_bytes(data[8:10], "little") & 0x3FFF,
    )


class Backlog:
    """Encoded frames between the event loop and a decoder's thread.

    Stands in for the receiver's `queue.Queue`. When the thread falls behind, everything waiting is
    dropped, and all that follows until a key frame comes, which `ask` requests.
    """

    def __init__(
        self,
        size: int,
        *,
        ask: Callable[[], object],
        limit: tuple[int, int] | None = None,
        arrivals: Arrivals | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._arrivals = arrivals or Arrivals()
        self._clock = clock
        self._size = size
        self._ask = ask
        self._limit = limit
        self._asked = float("-inf")
        self._broken = False
        self._ended = False
        self._frames: deque[Encoded] = deque()
        self._ready = threading.Condition()

    def put(self, task: Encoded | None) -> None:
        """A frame, or `None` for the end; called on the event loop, never waits for the decoder."""
        with self._ready:
            if task is None:
                self._frames.clear()
                self._ended = True
            elif not self._ended and self._wanted(*task):
                self._frames.append(task)
            self._ready.notify()

    def lose(self) -> bool:
        """A frame is lost on the way: what refers to it would look torn.

        Whether the caller should ask for a key frame; while one is awaited, and on lines that
        lose something after each one, not too often: what comes next asks again, see `put`.
        """
        with self._ready:
            pause = ASK_AGAIN / 2 if self._broken else AFTER_ONE
            self._broken = True
            now = self._clock()
            if now - self._asked < pause:
                return False
            self._asked = now
            return True

    def end(self) -> None:
        """Let the thread finish after the frame it is decoding."""
        self.put(None)

    def get(self) -> Encoded | None:
        """The next frame, `None` at the end; called on the decoder's thread."""
        with self._ready:
            while not self._frames and not self._ended:
                # aiortc's thread is no daemon: a program that dies without closing its
                # connections must not wait for it for ever.
                if not self._ready.wait(1.0) and not threading.main_thread().is_alive():
                    return None
            return self._frames.popleft() if self._frames else None

    def _wanted(self, codec: RTCRtpCodecParameters, frame: JitterFrame) -> bool:
        key = is_key_frame(codec, frame.data)
        if codec.name == "VP8" and self._limit is not None:
            size = vp8_size(frame.data)
            if size is not None and (size[0] > self._limit[0] or size[1] > self._limit[1]):
                # Refused before libvpx allocates it; nothing decodes until a smaller key frame.
                self._broken = True
                return False
        if len(self._frames) >= self._size:
            self._arrivals.undecoded += len(self._frames)
            self._frames.clear()
            self._broken = True
        if self._broken and not key:
            self._arrivals.undecoded += 1
            now = self._clock()
            if now - self._asked > ASK_AGAIN:
                self._asked = now
                self._ask()
            return False
        self._broken = False
        return True


class Decoded(asyncio.Queue[Any]):
    """Decoded frames of a remote track; the oldest makes room for the newest."""

    def __init__(self, size: int, arrivals: Arrivals | None = None) -> None:
        super().__init__(maxsize=size)
        self._arrivals = arrivals or Arrivals()

    async def put(self, item: Any) -> None:
        """Never waits."""
        self.push(item)

    def push(self, item: Any) -> None:
        """The same from the event loop."""
        while self.full():
            self.get_nowait()
            self._arrivals.unread += 1
        self.put_nowait(item)

"""A stream's composites on one line of time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from aiortc import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from gateway.planar_frame import planar_frame
from gateway.slot import Newest, SlotClosed
from gateway.transformer import Shown
from models.report import I420

STILL: Final = 0.5
"""Seconds after which a watcher gets an unchanged frame again, so that one who joins a frozen
stream, or lost a packet of it, has a picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """A composite with the time at which it is shown."""

    pixels: I420
    pts: int
    time_base: Fraction

    def frame(self) -> VideoFrame:
        """For one encoder: each wraps the pixels itself, as encoders mark frames as key frames."""
        frame = planar_frame(self.pixels)
        frame.pts, frame.time_base = self.pts, self.time_base
        return frame


class CompositeTrack(MediaStreamTrack):
    """Hands over the newest composite that it has not handed over, and never computes."""

    kind = "video"

    def __init__(
        self,
        composites: Newest[Shown],
        clock: Callable[[], float] = time.monotonic,
        still: float = STILL,
    ) -> None:
        super().__init__()
        self._composites = composites
        self._clock = clock
        self._still = still
        self._seen = 0
        self._epoch: int | None = None
        self._offset = 0
        self._sent: int | None = None
        self._sent_at = 0.0
        self._reference: tuple[float, float] | None = None
        """Seconds of our timestamps, and when that was captured."""

    def captured(self, timestamp: float) -> float | None:
        """When a timestamp of ours, in seconds, was captured, for the sender's reports."""
        if self._reference is None:
            return None
        ours, captured = self._reference
        return captured + timestamp - ours

    async def recv(self) -> VideoFrame:
        """Wait for the next composite; raises `MediaStreamError` when the stream has ended."""
        if self.readyState != "live":
            raise MediaStreamError
        try:
            return (await self.next()).frame()
        except SlotClosed:
            self.stop()
            raise MediaStreamError from None

    async def next(self) -> Timed:
        """Wait for the next composite; raises `SlotClosed` when the stream has ended."""
        fresh = True
        try:
            async with asyncio.timeout(self._still if self._seen else None):
                self._seen, shown = await self._composites.after(self._seen)
        except TimeoutError:
            again = self._composites.value
            assert again is not None
            shown, fresh = again, False
        timed = Timed(shown.pixels, self._pts(shown), shown.time_base)
        if fresh and shown.captured is not None:
            self._reference = float(timed.pts * timed.time_base), shown.captured
        return timed

    def rewind(self) -> None:
        """Hand over the newest composite at once, even if it was handed over before."""
        self._seen = 0

    def _pts(self, shown: Shown) -> int:
        now = self._clock()
        if self._sent is None:
            self._epoch = shown.epoch
        elapsed = int((now - self._sent_at) / shown.time_base)
        if shown.epoch != self._epoch:
            # Another camera counts from zero; an encoder must never see time run backwards.
            assert self._sent is not None
            self._epoch = shown.epoch
            self._offset = self._sent + elapsed - shown.pts
        pts = shown.pts + self._offset
        if self._sent is not None and pts <= self._sent:
            pts = self._sent + max(elapsed, 1)
        self._sent, self._sent_at = pts, now
        return pts

"""From a camera to watchers: newest source in, newest composite out.

    track --(camera rate)--> newest source --(engine, one frame at a time)--> newest composite
                                                                                |--> sender
                                                                                |--> sender ...

The rule that everything else bends to: a watcher is never shown a source. While there is no
composite, because matting has not begun, fails, hangs or is late, or because no source comes,
watchers keep the last composite for `freeze` seconds and then see the backdrop alone: nobody is to
stand there frozen whose camera is muted or whose connection broke.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from aiortc import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from gateway.backdrop_frame import backdrop_frame
from gateway.capture import captured
from gateway.matting import MattingStream
from gateway.planar_frame import to_i420
from gateway.slot import Newest
from gateway.stats import StreamStats, smooth
from models.backdrop import Backdrop, Colour
from models.errors import MattingError
from models.report import I420, Composite

Level = Literal["info", "warning", "error"]

logger = logging.getLogger(__name__)

FALLBACK_SIZE: Final = (640, 360)
"""Of the backdrop while no usable source frame has been seen."""
SMALLEST: Final = 16
"""Pixels; one macroblock."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One camera frame on its way to the engine."""

    pixels: I420
    pts: int
    time_base: Fraction
    arrived: float
    """Monotonic seconds."""
    epoch: int
    """Counts the cameras of a stream: timestamps of different epochs cannot be compared."""
    captured: float | None = None
    """Monotonic seconds, see `gateway.capture`."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What watchers see; the source's timestamps pass through untouched."""

    pixels: I420
    pts: int
    time_base: Fraction
    epoch: int
    captured: float | None = None
    """Monotonic seconds, see `gateway.capture`."""


def _fits(composite: I420, source: I420) -> bool:
    """Whether it is of the source's size, or a smaller one of the same shape."""
    (rows, columns), (all_rows, all_columns) = composite.shape, source.shape
    apart = abs(rows * all_columns - columns * all_rows)
    return bool(rows <= all_rows and columns <= all_columns and apart < 0.03 * rows * all_columns)


class Transformer:
    """One stream's way from source to composite; outlives the sessions that feed it."""

    def __init__(
        self,
        matting: MattingStream,
        stats: StreamStats,
        *,
        freeze: float,
        largest: tuple[int, int],
        notice: Callable[[Level, str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sources: Newest[Source] = Newest()
        self.composites: Newest[Shown] = Newest()
        self.newest: Composite | None = None
        """The engine's latest answer, for plate validity and drift."""
        self.backdrop: Backdrop = Colour(0, 0, 0)
        """What watchers see when matting fails; kept by the stream."""
        self._matting = matting
        self._stats = stats
        self._freeze = freeze
        self._largest = largest
        self._notice = notice
        self._clock = clock
        self.lag: float | None = None
        """Seconds from a source's capture to its composite, averaged over about ten frames."""
        self._epoch = 0
        self._composited_at = 0.0
        self._came_at = 0.0
        """When the newest frame of the camera came."""
        self._failing = False
        self._concealing = False
        self._alone: tuple[Backdrop, I420] | None = None

    async def run(self, track: MediaStreamTrack) -> None:
        """Matte one camera until it ends; one at a time."""
        self._epoch += 1
        self._composited_at = self._came_at = self._clock()
        # Nobody says that it is the camera that the plate was captured with. An engine that cannot
        # be asked any more fails on the first frame, too, and is handled there.
        with contextlib.suppress(MattingError, RuntimeError):
            self._matting.distrust_plate()
        async with asyncio.TaskGroup() as tasks:
            others = tasks.create_task(self._matte()), tasks.create_task(self._conceal_silence())
            try:
                await self._drain(track)
            finally:
                for each in others:
                    each.cancel()

    async def show_backdrop(self) -> None:
        """Show the backdrop alone: the camera is gone, or shows nothing."""
        # Its own epoch: whatever composite still comes back is older than this.
        self._epoch = epoch = self._epoch + 1
        like = self.composites.value or self.sources.value
        if like is None:
            return
        height, width = like.pixels.shape[0] * 2 // 3, like.pixels.shape[1]
        pixels = await self._backdrop_alone(width, height)
        shown = self.composites.value
        if shown is None or shown.epoch < epoch:
            self.composites.put(Shown(pixels, like.pts, like.time_base, epoch, self._clock()))

    def close(self) -> None:
        """End all readers."""
        self.sources.close()
        self.composites.close()

    async def _drain(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, VideoFrame)
            now = self._clock()
            if now - self._came_at >= self._freeze:
                # The engine had nothing to do meanwhile; it has not failed.
                self._composited_at = now
            self._came_at = now
            self._stats.frame_in(now, frame.width, frame.height)
            taken = captured(track, frame, now)
            source = self._accept(frame, now, taken)
            if source is not None:
                self.sources.put(source)
            if now - self._composited_at >= self._freeze:
                await self._conceal(frame, source, taken)

    def _accept(self, frame: VideoFrame, now: float, taken: float) -> Source | None:
        width, height = self._largest
        if not (SMALLEST <= frame.width <= width and SMALLEST <= frame.height <= height):
            if self._stats.refused == 0:
                self._notice(
                    "warning",
                    f"The camera's {frame.width} x {frame.height} is beyond what this server "
                    "takes; choose another resolution.",
                )
                logger.warning("source frames of %s x %s are refused", frame.width, frame.height)
            self._stats.refused += 1
            return None
        pts, time_base = self._timestamp(frame)
        return Source(to_i420(frame), pts, time_base, now, self._epoch, taken)

    @staticmethod
    def _timestamp(frame: VideoFrame) -> tuple[int, Fraction]:
        base = frame.time_base
        assert frame.pts is not None
        assert base is not None
        return frame.pts, Fraction(base.numerator, base.denominator)

    async def _matte(self) -> None:
        """Feed the engine, one frame at a time, always the newest."""
        seen = self.sources.version
        while True:
            version, source = await self.sources.after(seen)
            self._stats.dropped += version - seen - 1
            seen = version
            future = self._submit(source)
            if future is None:
                continue
            # A hanging engine holds up this task only: `_drain` conceals, and nothing piles up.
            wrapped = asyncio.wrap_future(future)
            try:
                await asyncio.wait([wrapped])
            finally:
                # Without effect on a frame that is done; one that still queues need not be matted.
                wrapped.cancel()
            if wrapped.cancelled():
                continue
            error = wrapped.exception()
            if error is None:
                self._finish(source, wrapped.result())
            else:
                self._failed(error)

    def _submit(self, source: Source) -> Future[Composite] | None:
        try:
            return self._matting.composite(source.pixels)
        except (MattingError, RuntimeError) as error:
            # RuntimeError: the engine's thread is gone.
            self._failed(error)
            return None

    def _failed(self, error: BaseException) -> None:
        self._stats.failures += 1
        if not self._failing:
            self._notice("error", "Matting fails; others see the backdrop alone.")
            # Once per row of failures: a broken engine fails on every frame.
            logger.error("matting fails: %s", error, exc_info=error)
        self._failing = True

    def _finish(self, source: Source, composite: Composite) -> None:
        if not _fits(composite.pixels, source.pixels):
            self._failed(MattingError(f"a composite has the shape {composite.pixels.shape}"))
            return
        now = self._clock()
        shown = self.composites.value
        if self._failing or self._concealing:
            self._failing = self._concealing = False
            self._notice("info", "Matting works again.")
            logger.info("matting works again after %s failures", self._stats.failures)
        self.newest = composite
        self._composited_at = now
        self._stats.frame_out(now, source.arrived, composite.milliseconds)
        if source.captured is not None:
            self.lag = smooth(self.lag, max(0.0, now - source.captured))
        older = shown is not None and (source.epoch, source.pts) <= (shown.epoch, shown.pts)
        if older or source.epoch != self._epoch:
            self._stats.late += 1
            return
        self.composites.put(
            Shown(composite.pixels, source.pts, source.time_base, source.epoch, source.captured)
        )

    async def _conceal(self, frame: VideoFrame, source: Source | None, taken: float) -> None:
        """Show the backdrop alone in place of a frame that has no composite in time."""
        if source is not None:
            height, width = source.pixels.shape[0] * 2 // 3, source.pixels.shape[1]
        else:
            width, height = FALLBACK_SIZE
        pixels = await self._backdrop_alone(width, height)
        if self._clock() - self._composited_at < self._freeze:
            # A composite came while the backdrop was painted.
            return
        # Before the first composite an engine that warms up is nothing to worry about.
        if self.newest is not None and not (self._concealing or self._failing):
            self._concealing = True
            self._notice("error", "Matting does not keep up; others see the backdrop alone.")
        pts, time_base = self._timestamp(frame)
        self.composites.put(Shown(pixels, pts, time_base, self._epoch, taken))

    async def _conceal_silence(self) -> None:
        """Show the backdrop alone while no frame comes, whatever the engine still makes of one."""
        seen = self.sources.version
        while True:
            left = self._freeze - (self._clock() - self._came_at)
            if left <= 0:
                await self.show_backdrop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left if left > 0 else None):
                    seen, _ = await self.sources.after(seen)

    async def _backdrop_alone(self, width: int, height: int) -> I420:
        known = self._alone
        shape = (height * 3 // 2, width)
        if known is not None and known[0] is self.backdrop and known[1].shape == shape:
            return known[1]
        backdrop = self.backdrop
        pixels = await asyncio.to_thread(backdrop_frame, backdrop, width, height)
        self._alone = (backdrop, pixels)
        return pixels

"""One stream: a camera's processed video with its plate and its backdrop.

A stream outlives its session for a while, so that somebody who loses the connection finds plate and
backdrop again. Whoever watches it stays meanwhile and sees the backdrop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway import events
from gateway.audio import AudioRelay
from gateway.backdrops import Backdrops
from gateway.matting import MattingStream
from gateway.settings import Settings
from gateway.slot import SlotClosed
from gateway.stats import StreamStats
from gateway.transformer import Transformer
from models.errors import PictureError, PlateRefused
from models.report import I420, PlateReport

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE: Final = 20.0
"""Seconds that a call to the engine, other than a frame, may take."""
MOST_SHOTS: Final = 30
FEWEST_SHOTS: Final = 9
"""The engine wants at least eight and leaves one out of an even number."""
COLLECTING: Final = 3.0
"""Seconds; one second of frames is wanted, and slow cameras get a little longer."""
NO_VIDEO: Final = 2.0
"""Seconds without a frame after which there is no video to capture from."""


class CaptureImpossible(Exception):
    """No plate could be captured; `reason` is no-video, busy or cancelled."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class EngineFailed(Exception):
    """Ours: the engine did not do what it was asked."""


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
        raise EngineFailed(f"The engine did not answer within {PATIENCE:.0f} s.")
    error = wrapped.exception()
    if isinstance(error, PlateRefused | PictureError):
        raise error
    if error is not None:
        logger.error("the engine fails: %s", error, exc_info=error)
        raise EngineFailed("The engine failed; its operator finds more in the log.") from error
    return wrapped.result()


class Stream:
    """Plate, backdrop, numbers, and the way from the camera to the watchers."""

    def __init__(
        self,
        name: str,
        key: str,
        matting: MattingStream,
        backdrops: Backdrops,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.key = key
        self.stats = StreamStats()
        self.transformer = Transformer(
            matting,
            self.stats,
            freeze=settings.freeze,
            largest=(settings.max_width, settings.max_height),
            notice=lambda level, text: self.notify(events.Notice(level=level, text=text)),
            clock=clock,
        )
        self.audio = AudioRelay(lambda: self.transformer.lag or 0.0, clock)
        self.listeners: set[Callable[[events.Event], None]] = set()
        """Called with every event; sessions of the publisher enter and leave."""
        self.plate_state: events.PlateState = "none"
        self.report: PlateReport | None = None
        self.choice: events.BackdropChoice = events.TransparentChoice()
        self._matting = matting
        self._backdrops = backdrops
        self._clock = clock
        self._changing = asyncio.Lock()
        self._plates = 0
        """Numbers the calls that change the plate: only the newest may say how it stands."""
        self._plate_coming = False
        """Whether the newest is a capture or a picture that the engine has not answered yet."""

    async def begin(self, choice: events.BackdropChoice) -> None:
        """Set the first backdrop; does not wait for the engine, which keeps the order."""
        self.choice = choice
        backdrop = await asyncio.to_thread(self._backdrops.resolve, choice)
        self.transformer.backdrop = backdrop
        self._matting.set_backdrop(backdrop)

    def close(self) -> None:
        """Drop everything: plate, backdrop, watchers' tracks."""
        self._matting.close()
        self.transformer.close()
        self.audio.close()

    def notify(self, event: events.Event) -> None:
        """Tell the publisher."""
        for listener in list(self.listeners):
            listener(event)

    async def capture_plate(self) -> PlateReport:
        """Learn the plate from about one second of the live source.

        Raises `CaptureImpossible`, `PlateRefused` (the old plate stays then) or `EngineFailed`.
        """
        with self._next_plate() as mine:
            self._require_video()
            before = self.plate_state, self.report
            self._set_plate("collecting", self.report)
            try:
                return await self._learn(mine)
            finally:
                # Unless it succeeded or was overtaken, everything is as before.
                if self._plates == mine and self.plate_state == "collecting":
                    self._set_plate(*before)

    async def load_plate(self, rgb: NDArray[np.uint8]) -> PlateReport:
        """Take the plate from a picture; raises like `capture_plate`."""
        with self._next_plate() as mine:
            loaded = self._matting.load_plate(rgb)
            report = await answered(loaded, lambda: self._require_newest(mine))
            self._set_plate("ready", report)
        return report

    async def forget_plate(self) -> None:
        """Show the backdrop only; a capture in progress comes to nothing."""
        await answered(self._forget())

    def hand_over(self, key: str) -> None:
        """Somebody else goes on under this name: the plate shows a room that is not theirs.

        Does not wait for the engine, which keeps the order.
        """
        self.key = key
        self._forget()

    async def plate_picture(self) -> NDArray[np.uint8] | None:
        """The plate, H x W x 3 RGB."""
        return await answered(self._matting.plate_picture())

    async def set_backdrop(self, choice: events.BackdropChoice) -> None:
        """Change what replaces the scene; raises `gateway.backdrops.UnknownBackdrop`."""
        async with self._changing:
            backdrop = await asyncio.to_thread(self._backdrops.resolve, choice)
            self.choice = choice
            self.transformer.backdrop = backdrop
            await answered(self._matting.set_backdrop(backdrop))
        self.notify(events.BackdropChanged(backdrop=choice))

    def plate_event(self) -> events.PlateChanged:
        """How the plate stands, as an event."""
        report = events.Report(**asdict(self.report)) if self.report is not None else None
        return events.PlateChanged(state=self.plate_state, report=report)

    def stats_event(self) -> events.Stats:
        """The numbers of this moment, as an event."""
        now = self.stats.snapshot(self._clock())
        return events.Stats(
            fps_in=now.fps_in,
            fps_out=now.fps_out,
            dropped=now.dropped,
            width=now.width,
            height=now.height,
            ms=dict(now.ms),
            latency_ms=now.latency_ms,
            plate=self._plate_numbers(),
            quality=self._quality_numbers(),
            frames_in=now.frames_in,
            frames_out=now.frames_out,
        )

    def idle(self) -> float | None:
        """Seconds since the last source frame, `None` before the first."""
        if self.stats.last_in is None:
            return None
        return self._clock() - self.stats.last_in

    def _quality_numbers(self) -> events.QualityNumbers | None:
        newest = self.transformer.newest
        if newest is None or newest.quality is None:
            return None
        height, width = newest.pixels.shape[0] * 2 // 3, newest.pixels.shape[1]
        return events.QualityNumbers(**asdict(newest.quality), width=width, height=height)

    def _plate_numbers(self) -> events.PlateNumbers:
        newest = self.transformer.newest
        if newest is None or not newest.has_plate or self.plate_state == "none":
            return events.PlateNumbers(state=self.plate_state, validity="none", drift=0.0)
        return events.PlateNumbers(
            state=self.plate_state, validity=newest.validity, drift=round(newest.drift, 3)
        )

    @contextlib.contextmanager
    def _next_plate(self) -> Iterator[int]:
        """Begin a capture or a picture; only `forget_plate` overtakes it. Yields its number."""
        if self._plate_coming:
            raise CaptureImpossible("busy", "Another plate is being made right now.")
        self._plates += 1
        mine = self._plates
        self._plate_coming = True
        try:
            yield mine
        finally:
            # Else it was forgotten, and what is coming now is another's.
            if self._plates == mine:
                self._plate_coming = False

    def _require_newest(self, mine: int) -> None:
        if self._plates != mine:
            raise CaptureImpossible("cancelled", "The plate was forgotten meanwhile.")

    def _require_video(self) -> None:
        idle = self.idle()
        if idle is None or idle > NO_VIDEO:
            raise CaptureImpossible("no-video", "There is no video to capture the scene from.")

    async def _learn(self, mine: int) -> PlateReport:
        shots = await self._collect()
        # The engine keeps the order: what is forgotten after this call does not come back.
        self._require_newest(mine)
        learnt = self._matting.learn_plate(shots)
        report = await answered(learnt, lambda: self._require_newest(mine))
        self._set_plate("ready", report)
        return report

    def _forget(self) -> Future[None]:
        self._plates += 1
        self._plate_coming = False
        # The state changes first: whatever the engine does, this plate is not ours any more.
        self._set_plate("none", None)
        return self._matting.forget_plate()

    async def _collect(self) -> list[I420]:
        wanted = min(MOST_SHOTS, max(FEWEST_SHOTS, round(self.stats.fps_in(self._clock()))))
        sources = self.transformer.sources
        seen = sources.version
        shots: list[I420] = []
        try:
            async with asyncio.timeout(COLLECTING):
                while len(shots) < wanted:
                    seen, source = await sources.after(seen)
                    if shots and shots[0].shape != source.pixels.shape:
                        # The browser changed its resolution.
                        shots.clear()
                    shots.append(source.pixels)
        except (TimeoutError, SlotClosed):
            if not shots:
                raise CaptureImpossible("no-video", "The video stopped.") from None
        return shots

    def _set_plate(self, state: events.PlateState, report: PlateReport | None) -> None:
        self.plate_state, self.report = state, report
        self.notify(self.plate_event())

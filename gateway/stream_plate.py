"""A stream's plate: how it comes to be, stands, and is forgotten, whoever asks for what meanwhile.

What the engine knows and what is said here can never differ for long: the engine does what it is
asked in order, and only the newest of the calls that change the plate may say how it stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway import events
from gateway.access import same
from gateway.engine_calls import EngineFailed, EngineSilent, answered
from gateway.first_plate import LIMIT, FirstPlate
from gateway.kept_plates import KeptPlate, UnknownPlate, digest
from gateway.matting import MattingStream
from gateway.slot import Newest, SlotClosed
from gateway.stats import StreamStats
from gateway.transformer import Level, Source
from models.errors import ADVICE, MattingError, PictureError, PlateRefused
from models.report import I420, PlateReport

logger = logging.getLogger(__name__)

MOST_SHOTS: Final = 30
FEWEST_SHOTS: Final = 9
"""The engine wants at least eight and leaves one out of an even number."""
COLLECTING: Final = 3.0
"""Seconds; one second of frames is wanted, and slow cameras get a little longer."""
NO_VIDEO: Final = 2.0
"""Seconds without a frame after which there is no video to capture from."""


NOBODY: Final = ""
"""No key has this digest."""


class CaptureImpossible(Exception):
    """No plate could be captured; `reason` is no-video, busy or cancelled."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class StreamPlate:
    """The one plate of one stream."""

    def __init__(
        self,
        name: str,
        matting: MattingStream,
        sources: Newest[Source],
        stats: StreamStats,
        notify: Callable[[events.Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.report: PlateReport | None = None
        """Of the plate in use."""
        self.owner: str | None = None
        """Digest of the key that opens the picture, where it was somebody's kept plate; `None`
        where it is the stream's own; `NOBODY` while the engine may hold the one or the other."""
        self.first: FirstPlate | None = None
        """The watch for a plate that nobody captures, if one was asked for."""
        self.revoked = False
        """Whether somebody has it forgotten: what a publisher wished for before counts no more."""
        self._name = name
        self._matting = matting
        self._sources = sources
        self._stats = stats
        self._notify = notify
        self._clock = clock
        self._asked = 0
        """Numbers the captures, pictures and forgettings: only the newest may say how it stands."""
        self._coming = False
        """Whether the newest is a capture or a picture that the engine has not answered yet."""
        self._collecting = False
        """Whether it is a capture."""
        self._calls = 0
        """Numbers the engine's calls that change the plate; a later one undoes an earlier one."""

    @property
    def state(self) -> events.PlateState:
        """What people are told. A capture does not harm the plate before, which stays in use."""
        if self._collecting:
            return "collecting"
        return "none" if self.report is None else "ready"

    def event(self) -> events.PlateChanged:
        """How it stands, as an event."""
        report = events.Report(**asdict(self.report)) if self.report is not None else None
        return events.PlateChanged(state=self.state, report=report)

    async def capture(self) -> PlateReport:
        """Learn from about one second of the live source.

        Raises `CaptureImpossible`, `PlateRefused` (the old plate stays then) or `EngineFailed`.
        """
        with self._next() as mine:
            self._require_video()
            self._collecting = True
            self._tell()
            try:
                shots = await self._collect()
                # The engine keeps the order: what is forgotten after this does not come back.
                if self._asked != mine:
                    raise CaptureImpossible("cancelled", "The plate was forgotten meanwhile.")
                report = await self._taken(self._learn(shots), None, lambda: self._asked == mine)
            finally:
                if self._asked == mine:
                    self._collecting = False
                    self._tell()
        return report

    async def load(self, rgb: NDArray[np.uint8], owner: str | None = None) -> PlateReport:
        """Take a picture, H x W x 3, that `owner` may look at; raises like `capture`.

        Also raises `PictureError`.
        """
        with self._next() as mine:
            self._calls += 1
            loading = self._matting.load_plate(rgb)
            report = await self._taken(loading, owner, lambda: self._asked == mine)
            self._tell()
        return report

    async def use(self, kept: KeptPlate) -> None:
        """Take a kept plate; what somebody asks for at the same time comes first.

        Ends without an error, like `learn_first`.
        """
        try:
            await self.load(await asyncio.to_thread(kept.rgb), kept.owner)
        except CaptureImpossible as error:
            logger.info("stream %s: plate %s is not used: %s", self._name, kept.name, error)
        except UnknownPlate:
            self._say("warning", f"The plate {kept.name} is gone; capture one.")
        except (MattingError, EngineFailed) as error:
            self._say("error", f"The plate {kept.name} cannot be used. {error}")
        else:
            self._say("info", f"The plate {kept.name} is used as soon as it fits.")

    async def learn_first(self) -> None:
        """Watch for a first plate while there is none, for up to `first_plate.LIMIT`.

        Ends without an error, whatever becomes of it, and tells the publisher and the log. What
        somebody asks for meanwhile comes first.
        """
        if self.report is not None:
            return
        first = self.first = FirstPlate(self._sources, self._name)
        logger.info("stream %s: watching for an empty scene to take as the plate", self._name)
        try:
            await first.watch(
                self._learn_first, lambda: self.first is first and self.report is None
            )
        except EngineFailed as error:
            self._say("error", f"The empty scene could not be learned. {error}")
        if first.progress == "learnt":
            self._say("info", "The empty scene was learned.")
        elif first.progress == "missed":
            why = "" if first.refused is None else f" {ADVICE[first.refused]}"
            self._say(
                "warning",
                f"No empty scene was seen in the first {LIMIT:.0f} s; others see the backdrop "
                f"alone until a plate is captured.{why}",
            )

    async def forget(self) -> None:
        """Show the backdrop only; a capture in progress and a watch come to nothing."""
        self.revoked = True
        await answered(self.forget_soon())

    def forget_soon(self) -> Future[None]:
        """As `forget`, without waiting for the engine, which keeps the order."""
        self._asked += 1
        self._calls += 1
        # The state changes first: whatever the engine does, this plate is not ours any more.
        self._coming = self._collecting = False
        self.report = self.owner = self.first = None
        self._tell()
        return self._matting.forget_plate()

    def lend(self, key: str) -> None:
        """Leave it in use, its picture to be opened by this `key` as before, if it was the stream's
        own."""
        if self.report is not None and self.owner is None:
            self.owner = digest(key)

    def opened_by(self, key: str) -> bool:
        """Whether the stream's `key` shows the picture: a kept one is for who kept it only."""
        return self.owner is None or same(digest(key), self.owner)

    async def picture(self) -> NDArray[np.uint8] | None:
        """The plate, H x W x 3 RGB."""
        return await answered(self._matting.plate_picture())

    @contextlib.contextmanager
    def _next(self) -> Iterator[int]:
        """Begin a capture or a picture; only forgetting overtakes it. Yields its number."""
        if self._coming:
            raise CaptureImpossible("busy", "Another plate is being made right now.")
        self._asked += 1
        mine = self._asked
        self._coming = True
        try:
            yield mine
        finally:
            # Else it was forgotten, and what is coming now is another's.
            if self._asked == mine:
                self._coming = False

    def _require_video(self) -> None:
        last = self._stats.last_in
        if last is None or self._clock() - last > NO_VIDEO:
            raise CaptureImpossible("no-video", "There is no video to capture the scene from.")

    def _learn(self, shots: Sequence[I420]) -> Future[PlateReport]:
        self._calls += 1
        return self._matting.learn_plate(shots)

    async def _taken(
        self, coming: Future[PlateReport], owner: str | None, newest: Callable[[], bool]
    ) -> PlateReport:
        """Wait until the engine has taken a plate that `owner` may look at.

        `newest` says whether nothing was asked since: else `CaptureImpossible` is raised. Whatever
        happens, the engine has no plate afterwards of which nothing is said here.
        """
        before = self.owner
        if owner != before:
            self.owner = NOBODY

        def require_newest() -> None:
            if not newest():
                raise CaptureImpossible("cancelled", "The plate was forgotten meanwhile.")

        try:
            report = await answered(coming, require_newest)
        except (EngineSilent, asyncio.CancelledError):
            # It may take the plate all the same, and nobody waits any more who would say so.
            if newest():
                self.forget_soon()
            raise
        except (PlateRefused, PictureError, EngineFailed):
            self.owner = before
            if self.report is None:
                # A first plate may have been learned that this call has overtaken.
                self._matting.forget_plate()
            raise
        self.report, self.owner = report, owner
        return report

    async def _learn_first(self, shots: Sequence[I420]) -> bool:
        """After what others ask for, and undone by it; raises `PlateRefused`, `EngineFailed`."""
        if self._coming:
            return False
        learning = self._learn(shots)
        mine = self._calls
        try:
            await self._taken(learning, None, lambda: self._calls == mine)
        except CaptureImpossible:
            return False
        self._tell()
        return True

    async def _collect(self) -> list[I420]:
        wanted = min(MOST_SHOTS, max(FEWEST_SHOTS, round(self._stats.fps_in(self._clock()))))
        seen = self._sources.version
        shots: list[I420] = []
        try:
            async with asyncio.timeout(COLLECTING):
                while len(shots) < wanted:
                    seen, source = await self._sources.after(seen)
                    if shots and shots[0].shape != source.pixels.shape:
                        # The browser changed its resolution.
                        shots.clear()
                    shots.append(source.pixels)
        except (TimeoutError, SlotClosed):
            if not shots:
                raise CaptureImpossible("no-video", "The video stopped.") from None
        return shots

    def _tell(self) -> None:
        self._notify(self.event())

    def _say(self, level: Level, text: str) -> None:
        log = logger.info if level == "info" else logger.warning
        log("stream %s: %s", self._name, text, extra={"told": True})
        self._notify(events.Notice(level=level, text=text))

"""One stream: a camera's processed video with its plate and its backdrop.

A stream outlives its session for a while, so that somebody who loses the connection finds plate and
backdrop again. Whoever watches it stays meanwhile and sees the backdrop.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict

from gateway import events
from gateway.audio import AudioRelay
from gateway.backdrops import Backdrops
from gateway.claim import Caller, Claim
from gateway.composite_track import CompositeTrack
from gateway.engine_calls import answered
from gateway.kept_plates import KeptPlate
from gateway.matting import MattingStream
from gateway.renditions.pool import Renditions
from gateway.scenery import AS_IT_IS, Scenery
from gateway.settings import Settings
from gateway.stats import StreamStats
from gateway.stream_plate import StreamPlate
from gateway.transformer import Transformer
from gateway.transport.encoders import Downlink
from gateway.transport.encoding import Encoding


class Stream:
    """Plate, backdrop, numbers, and the way from the camera to the watchers."""

    def __init__(
        self,
        name: str,
        key: str,
        matting: MattingStream,
        backdrops: Backdrops,
        settings: Settings,
        encoding: Encoding,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.key = key
        self.identity: str | None = None
        """Who fed it last, where they brought no key, see `gateway.claim`."""
        self.stats = StreamStats()
        self.transformer = Transformer(
            matting,
            self.stats,
            freeze=settings.freeze,
            largest=(settings.max_width, settings.max_height),
            notice=lambda level, text: self.notify(events.Notice(level=level, text=text)),
            clock=clock,
        )
        self.renditions = Renditions(
            CompositeTrack(self.transformer.composites, clock),
            Downlink.within(settings),
            encoding,
            self.stats.departures,
            clock=clock,
        )
        """How watchers get the composite."""
        self.audio = AudioRelay(lambda: self.transformer.lag or 0.0, clock)
        self.listeners: set[Callable[[events.Event], None]] = set()
        """Called with every event; sessions of the publisher enter and leave."""
        self.audience: set[Callable[[events.Event], None]] = set()
        """Called when the stream begins or ceases to be fed; sessions of watchers."""
        self._live = False
        self.plate = StreamPlate(
            name, matting, self.transformer.sources, self.stats, self.notify, clock
        )
        self.choice: events.BackdropChoice = events.TransparentChoice()
        self._matting = matting
        self._backdrops = backdrops
        self._first_backdrop = backdrops.first(settings.default_backdrop)
        self._clock = clock
        self._changing = asyncio.Lock()
        self._scenery: Scenery = AS_IT_IS
        """What the newest publishing asked for."""
        self._kept: KeptPlate | None = None
        """The plate that `find_plate` is to take."""

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
        self.renditions.close()
        self.audio.close()

    @property
    def live(self) -> bool:
        """Whether somebody feeds it."""
        return self._live

    @live.setter
    def live(self, live: bool) -> None:
        self._live = live
        for tell in list(self.audience):
            tell(events.Live(live=live))

    def notify(self, event: events.Event) -> None:
        """Tell the publisher."""
        for listener in list(self.listeners):
            listener(event)

    async def prepare(self, scenery: Scenery, kept: KeptPlate | None = None) -> None:
        """Take over what a publishing asks for; raises `gateway.backdrops.UnknownBackdrop`.

        `kept` is the plate that the scenery names, if it names one.

        A publisher that merely returns asks for the same as before, and must not undo what was
        chosen since. The plate is found by `find_plate`, once there is video.
        """
        before, self._scenery = self._scenery, scenery
        if scenery.backdrop is not None and scenery.backdrop != before.backdrop:
            await self.begin(scenery.backdrop)
        other = scenery.plate != before.plate
        if other:
            self.plate.revoked = False
        self._kept = kept if other or self.plate.report is None else None

    async def find_plate(self) -> None:
        """Look for the plate that was asked for: run it beside `transformer.run`.

        Returns when it is found, missed, or was never asked for; raises nothing.
        """
        if self.plate.revoked:
            return
        wished, kept = self._scenery, self._kept
        self._kept = None
        try:
            if kept is not None:
                await self.plate.use(kept)
            elif wished.plate == "first":
                await self.plate.learn_first()
        except asyncio.CancelledError:
            # The connection ended too early; the next one tries again, unless it wishes otherwise.
            if self._scenery is wished and self._kept is None:
                self._kept = kept
            raise

    async def belong_to(self, caller: Caller, claim: Claim) -> None:
        """Somebody goes on under this name.

        Who seems to be back gets a new key. As it cannot be told for certain, the plate stays in
        use, which shows nothing of it, but its picture stays with the key before. For a successor
        all begins anew: the plate shows a room that is not theirs, the backdrop may be an upload.
        """
        self.identity = caller.identity
        if claim is Claim.RETURNED:
            self.plate.lend(self.key)
        elif claim is Claim.SUCCESSOR:
            self._scenery = AS_IT_IS
            self.renditions.cut()
            # Does not wait for the engine, which keeps the order.
            self.plate.forget_soon()
            self.plate.revoked = False
        if claim in (Claim.RETURNED, Claim.SUCCESSOR):
            self.key = secrets.token_urlsafe(24)
        if claim in (Claim.NEW, Claim.SUCCESSOR):
            await self.begin(self._first_backdrop)

    async def set_backdrop(self, choice: events.BackdropChoice) -> None:
        """Change what replaces the scene; raises `gateway.backdrops.UnknownBackdrop`."""
        async with self._changing:
            backdrop = await asyncio.to_thread(self._backdrops.resolve, choice)
            self.choice = choice
            self.transformer.backdrop = backdrop
            await answered(self._matting.set_backdrop(backdrop))
        self.notify(events.BackdropChanged(backdrop=choice))

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
        state = self.plate.state
        if newest is None or not newest.has_plate or state == "none":
            return events.PlateNumbers(state=state, validity="none", drift=0.0)
        return events.PlateNumbers(
            state=state, validity=newest.validity, drift=round(newest.drift, 3)
        )

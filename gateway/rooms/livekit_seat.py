"""One participant of a LiveKit room: watched, matted, and shown by a track of the gateway's."""

from __future__ import annotations

import asyncio
import contextlib
from typing import NoReturn

from gateway.composite_track import STILL
from gateway.relays.backoff import Patience
from gateway.relays.incoming import video_taken_in
from gateway.relays.leg import Tell
from gateway.rooms.livekit_link import MARK, Camera, Link, Person
from gateway.rooms.seat import Over, Seat
from gateway.slot import SlotClosed
from gateway.worker import Worker


class LiveKitSeat(Seat):
    """Of one participant; `live` connects it while their camera runs."""

    def __init__(self, who: Person, worker: Worker, *, patience: Patience, tell: Tell) -> None:
        super().__init__(who.title, worker, patience=patience, tell=tell)
        self.who = who

    async def live(self, link: Link, camera: Camera) -> None:
        """Watch and show until the stream is over, or cancelled."""
        await self.connect(
            self.again("watching", lambda: self._watch(link, camera)),
            self.again("showing", lambda: self._show(link, camera)),
        )

    async def _watch(self, link: Link, camera: Camera) -> NoReturn:
        async with link.watching(camera) as track:
            self.say("watching")
            await video_taken_in(self.feed.stream, track, self._patience.stalled)

    async def _show(self, link: Link, camera: Camera) -> NoReturn:
        composites = self.feed.stream.transformer.composites
        try:
            # An empty picture is of no use to anybody: wait for a composite, be it the backdrop.
            seen, shown = await composites.after(0)
            height, width = shown.pixels.shape[0] * 2 // 3, shown.pixels.shape[1]
            # Cameras begin small and grow: qualities are laid out for what was announced.
            size = (max(camera.width, width), max(camera.height, height))
            async with link.showing(self.who.title + MARK, *size) as screen:
                self.say(f"shown as {self.who.title}{MARK}")
                while True:
                    await screen.put(shown.pixels)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(STILL):
                            seen, shown = await composites.after(seen)
        except SlotClosed:
            raise Over from None

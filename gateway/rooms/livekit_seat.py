"""One participant of a LiveKit room: watched, matted, and shown by a track of the gateway's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import NoReturn

from gateway import events
from gateway.composite_track import STILL
from gateway.feed import Feed
from gateway.relays.backoff import Backoff, Patience
from gateway.relays.calls import CallFailed
from gateway.relays.incoming import video_taken_in
from gateway.relays.leg import Tell
from gateway.rooms.livekit_link import MARK, Camera, Link, Person
from gateway.scenery import Scenery
from gateway.slot import SlotClosed
from gateway.worker import Worker


class LiveKitSeat:
    """Holds the stream of one participant for as long as they are in the room.

    `live` connects it while their camera runs: plate and backdrop outlive a camera that is switched
    off, and the loss of the room.
    """

    def __init__(self, who: Person, worker: Worker, *, patience: Patience, tell: Tell) -> None:
        self.who = who
        self.feed: Feed
        self._worker = worker
        self._patience = patience
        self._tell = tell
        self._stack = contextlib.AsyncExitStack()

    async def open(self, name: str, key: str, scenery: Scenery) -> None:
        """Begin, or find again, the stream; raises what `Worker.feeding` raises."""
        feeding = self._worker.feeding(name, key, scenery=scenery)
        self.feed = await self._stack.enter_async_context(feeding)
        listeners = self.feed.stream.listeners
        listeners.add(self._hear)
        self._stack.callback(listeners.discard, self._hear)

    async def close(self) -> None:
        """The stream lingers."""
        await self._stack.aclose()

    async def live(self, link: Link, camera: Camera) -> None:
        """Watch and show until the stream is over, or cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_over())
                tasks.create_task(self._again("watching", lambda: self._watch(link, camera)))
                tasks.create_task(self._again("showing", lambda: self._show(link, camera)))
        except* _Over:
            self._say("somebody else feeds this stream now")

    def _hear(self, event: events.Event) -> None:
        if isinstance(event, events.Notice):
            self._say(f"{event.level}: {event.text}")
        elif isinstance(event, events.PlateChanged):
            self._say(f"plate: {event.state}")

    def _say(self, line: str) -> None:
        self._tell(f"{self.who.title}: {line}")

    async def _until_over(self) -> NoReturn:
        await self.feed.over.wait()
        raise _Over

    async def _again(self, what: str, connect: Callable[[], Awaitable[NoReturn]]) -> None:
        backoff = Backoff(self._patience)
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                await connect()
            except CallFailed as error:
                if clock() - began >= self._patience.settled:
                    backoff.reset()
                wait = backoff.next()
                self._say(f"{what}: {error}; again in {wait:.0f} s")
                await asyncio.sleep(wait)

    async def _watch(self, link: Link, camera: Camera) -> NoReturn:
        async with link.watching(camera) as track:
            self._say("watching")
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
                self._say(f"shown as {self.who.title}{MARK}")
                while True:
                    screen.put(shown.pixels)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(STILL):
                            seen, shown = await composites.after(seen)
        except SlotClosed:
            raise _Over from None


class _Over(Exception):
    """The stream is not ours to feed any more."""

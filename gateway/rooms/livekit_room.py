"""A LiveKit room, and everybody in it who is to stand before another backdrop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from gateway.owned_tasks import OwnedTasks
from gateway.relays.backoff import Backoff, Patience
from gateway.relays.leg import Tell
from gateway.rooms.livekit_link import Camera, Link, LinkLost, Person
from gateway.rooms.livekit_seat import LiveKitSeat
from gateway.rooms.seat import Keys, NoPlace, stream_name
from gateway.scenery import Scenery
from gateway.worker import Worker


class LiveKitRoom:
    """Used as: `run`, until it is hopeless or cancelled."""

    def __init__(
        self,
        join: Callable[[], AbstractAsyncContextManager[Link]],
        worker: Worker,
        *,
        scenery: Scenery,
        wanted: frozenset[str],
        patience: Patience,
        tell: Tell,
    ) -> None:
        """Matte those whose identity or name is `wanted`; all, if that is empty."""
        self.seats: dict[str, LiveKitSeat] = {}
        """By identity: those who are in the room, as far as is known."""
        self._join = join
        self._worker = worker
        self._scenery = scenery
        self._wanted = wanted
        self._patience = patience
        self._tell = tell
        self._keys = Keys(worker)
        self._refused: set[str] = set()
        self._sealed: set[str] = set()
        """Whose camera cannot be read, as people were told."""
        self._given_up: set[str] = set()
        """Whose streams went to somebody else: they are not taken back from those."""
        self._tasks = OwnedTasks()
        self._living: dict[str, tuple[Camera, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Stay in the room; raises `Hopeless`."""
        backoff = Backoff(self._patience)
        clock = asyncio.get_running_loop().time
        try:
            while True:
                began = clock()
                try:
                    async with self._join() as link:
                        await self._follow(link)
                except LinkLost as error:
                    if clock() - began >= self._patience.settled:
                        backoff.reset()
                    wait = backoff.next()
                    self._tell(f"{error}; again in {wait:.0f} s")
                    await asyncio.sleep(wait)
        finally:
            await self._tasks.close()
            for seat in list(self.seats.values()):
                await seat.close()
            self.seats.clear()

    async def _follow(self, link: Link) -> None:
        """Keep seats as the room is, until it is lost."""
        self._tell(f"in the room, with {len(link.people())} others")
        try:
            while True:
                # Not what happened, but what is: an event that was missed does no harm.
                people = {each.identity: each for each in link.people() if self._is_wanted(each)}
                for absent in [name for name in self.seats if name not in people]:
                    await self._leave(absent)
                self._refused &= people.keys()
                self._sealed &= {name for name, each in people.items() if each.sealed}
                self._given_up &= people.keys()
                for person in people.values():
                    await self._arrange(person, link)
                await link.changed()
        finally:
            while self._living:
                await self._rest(next(iter(self._living)))

    async def _arrange(self, who: Person, link: Link) -> None:
        """Their camera, if it runs, is watched; another one before it is not any more."""
        camera = who.camera
        if who.sealed and who.identity not in self._sealed:
            self._sealed.add(who.identity)
            self._tell(f"{who.title}: not matted, as their camera is end-to-end encrypted")
        before = self._living.get(who.identity)
        if before is not None and (
            camera is None or before[0].sid != camera.sid or before[1].done()
        ):
            await self._rest(who.identity)
            before = None
        if camera is None or before is not None or who.identity in self._given_up:
            return
        seat = self.seats.get(who.identity) or await self._seated(who)
        if seat is not None:
            # What such a task raises goes to the log; the next change in the room begins it anew.
            self._living[who.identity] = (camera, self._tasks.start(seat.live(link, camera)))

    async def _seated(self, who: Person) -> LiveKitSeat | None:
        """A seat with its stream; `None`, with a word to people, where there is no place."""
        seat = LiveKitSeat(who, self._worker, patience=self._patience, tell=self._tell)
        name = stream_name("livekit", who.identity)
        try:
            await seat.open(
                name, self._keys.of(name), self._scenery, lambda: self._forget(who.identity)
            )
        except NoPlace as error:
            if who.identity not in self._refused:
                self._tell(f"{who.title}: {error}")
            self._refused.add(who.identity)
            return None
        self.seats[who.identity] = seat
        return seat

    async def _rest(self, identity: str) -> None:
        _, task = self._living.pop(identity)
        task.cancel()
        await asyncio.wait([task])

    def _forget(self, identity: str) -> None:
        """Their stream is somebody else's to feed, as long as they are in the room."""
        self._given_up.add(identity)
        self.seats.pop(identity, None)
        self._living.pop(identity, None)

    async def _leave(self, identity: str) -> None:
        if identity in self._living:
            await self._rest(identity)
        # It may have been given up meanwhile.
        if (seat := self.seats.pop(identity, None)) is not None:
            await seat.close()
            self._tell(f"{seat.who.title}: gone")

    def _is_wanted(self, who: Person) -> bool:
        return not self._wanted or who.identity in self._wanted or who.name in self._wanted

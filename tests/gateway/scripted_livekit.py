"""A LiveKit room of our own behind `gateway.rooms.livekit_link`: frames without a network."""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import numpy as np

from gateway.rooms.livekit_link import Camera, LinkLost, Person
from models.report import I420
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.loopback import Screen


@dataclass
class Shown:
    """A track that the gateway publishes."""

    name: str
    screen: Screen = field(default_factory=Screen)

    async def put(self, pixels: I420) -> None:
        self.screen.count += 1
        self.screen.frames = [*self.screen.frames[-60:], np.array(pixels)]


class ScriptedLiveKit:
    """Who is there, what they send, and trouble on demand."""

    def __init__(self) -> None:
        self.persons: dict[str, Person] = {}
        self.cameras: dict[str, GreyCamera] = {}
        """By the track's sid, as its newest subscriber is sent it."""
        self.shown: list[Shown] = []
        self.joins = 0
        self.refusals: deque[Exception] = deque()
        """What the next who want to watch are told instead."""
        self._sids = itertools.count(1)
        self._news = asyncio.Event()
        self._lost = False

    @contextlib.asynccontextmanager
    async def join(self) -> AsyncIterator["ScriptedLiveKit"]:
        self.joins += 1
        self._lost = False
        yield self

    def arrive(self, identity: str, name: str, *tracks: str) -> None:
        cameras = tuple(Camera(f"TR_{next(self._sids)}", track, 320, 240) for track in tracks)
        self.persons[identity] = Person(identity, name, cameras)
        self._news.set()

    def switch(self, identity: str, *tracks: str) -> None:
        self.arrive(identity, self.persons[identity].name, *tracks)

    def depart(self, identity: str) -> None:
        del self.persons[identity]
        self._news.set()

    def drop(self) -> None:
        self._lost = True
        self._news.set()

    def people(self) -> tuple[Person, ...]:
        return tuple(replace(each) for each in self.persons.values())

    async def changed(self) -> None:
        await self._news.wait()
        self._news.clear()
        if self._lost:
            raise LinkLost("dropped")

    @contextlib.asynccontextmanager
    async def watching(self, camera: Camera) -> AsyncIterator[GreyCamera]:
        if self.refusals:
            raise self.refusals.popleft()
        track = self.cameras[camera.sid] = GreyCamera()
        try:
            yield track
        finally:
            track.stop()

    @contextlib.asynccontextmanager
    async def showing(self, name: str, width: int, height: int) -> AsyncIterator[Shown]:
        shown = Shown(name)
        self.shown.append(shown)
        try:
            yield shown
        finally:
            self.shown.remove(shown)

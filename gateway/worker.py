"""The streams and sessions of this process, and the engine they share."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from typing import Protocol

from aiortc import RTCIceServer

from gateway.access import same
from gateway.backdrops import Backdrops
from gateway.matting import Engine
from gateway.owned_tasks import OwnedTasks
from gateway.peer import Peer
from gateway.sdp import Offer, Reach
from gateway.session import Publication, Session, Watch
from gateway.settings import Settings
from gateway.stats import StreamStats, Totals
from gateway.stream import Stream
from gateway.transport.candidates import local_addresses
from gateway.transport.connection import Tuning
from gateway.transport.encoders import Downlink
from gateway.transport.encoding import Encoding
from models.errors import MattingError


class Full(Exception):
    """No room; the message says for what. Worth another try later."""


class NameTaken(Exception):
    """A stream of this name belongs to somebody else."""


class NotLive(Exception):
    """There is nothing to watch under this name, or not at the moment."""


class Placement(Protocol):
    """Decides which worker holds a stream. In this process there is one; others may follow."""

    def place(self, name: str) -> Worker:
        """The worker for a stream that is to be published."""

    def holding(self, name: str) -> Worker:
        """The worker where this stream lives: its watchers must go there too."""


class InThisProcess:
    """The `Placement` with one worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def place(self, name: str) -> Worker:
        """See `Placement`."""
        return self._worker

    def holding(self, name: str) -> Worker:
        """See `Placement`."""
        return self._worker


class Worker:
    """Publishes, watches, and forgets streams that nobody feeds any more."""

    def __init__(self, settings: Settings, engine: Engine, backdrops: Backdrops) -> None:
        self.engine = engine
        self.totals = Totals()
        self.draining = False
        self._settings = settings
        self._backdrops = backdrops
        self._streams: dict[str, Stream] = {}
        self._sessions: dict[str, Session] = {}
        self._publications: dict[str, Publication] = {}
        self._lingering: dict[str, asyncio.TimerHandle] = {}
        self._claims: Counter[str] = Counter()
        """Streams that a publication is being opened for: nobody may drop them meanwhile."""
        self._tasks = OwnedTasks()
        self.encoding = Encoding(settings.max_sessions)
        addresses = local_addresses(settings.host_addresses, loopback=settings.on_loopback)
        self.reach = Reach(loopback=any(address.startswith("127.") for address in addresses))
        """What peers may name as their addresses."""
        self._tuning = Tuning(
            addresses=addresses,
            uplink=1000 * settings.uplink_start,
            downlink=Downlink.within(settings),
            largest=(settings.max_width, settings.max_height),
            encoding=self.encoding,
            ice_servers=[
                RTCIceServer(url, settings.ice_username or None, settings.ice_credential or None)
                for url in settings.ice_servers
            ],
        )

    async def publish(
        self, name: str, key: str | None, offer: Offer, *, trusted: bool = False
    ) -> Publication:
        """Begin a session that feeds the stream `name`; a key is made where none is brought.

        A stream that still lingers, or lives, is taken over with its plate and backdrop by who
        brings its key; `trusted` callers may take over one that only lingers, with a new key and
        without the plate. Raises `BadOffer`, `NameTaken` or `Full`.
        """
        stream = self._streams.get(name)
        new = stream is None
        if stream is not None:
            mine = key is not None and same(key, stream.key)
            live = name in self._publications
            # One that is being opened is somebody's already.
            free = not live and not self._claims[name]
            if not mine and not (key is None and trusted and free):
                raise NameTaken(name)
            # Who takes over from oneself needs no second place.
            self._check_room(spare=1 if live else 0)
            if not mine:
                stream.hand_over(secrets.token_urlsafe(24))
        else:
            self._check_room()
            stream = self._add_stream(name, key or secrets.token_urlsafe(24))
        self._stop_lingering(name)
        self._claims[name] += 1
        peer = Peer(self._tuning, stream.stats.arrivals)
        session = Publication(stream, peer, offer, self._settings, self.engine)
        # Entered before its answer: a second request must find this place taken.
        self._enter(session)
        try:
            if new:
                await stream.begin(self._backdrops.first(self._settings.default_backdrop))
            await session.open()
            await self._take_over(session)
        except BaseException:
            self._sessions.pop(session.id, None)
            await session.close()
            raise
        finally:
            self._claims[name] -= 1
            self._leave(stream)
        return session

    async def watch(self, name: str, offer: Offer) -> Watch:
        """Begin a session that receives the composite; raises `BadOffer`, `NotLive` or `Full`."""
        stream = self._streams.get(name)
        if stream is None or name not in self._publications:
            raise NotLive(name)
        self._check_room()
        if len(self.watchers(stream)) >= self._settings.max_watchers:
            raise Full("this stream has as many watchers as it may have")
        session = Watch(stream, Peer(self._tuning), offer, self._settings)
        # As in `publish`.
        self._enter(session)
        try:
            await session.open()
        except BaseException:
            self._sessions.pop(session.id, None)
            raise
        self._tasks.start(self._attend(session))
        return session

    def session(self, name: str, session: str) -> Session | None:
        """The session behind a URL."""
        found = self._sessions.get(session)
        return found if found is not None and found.stream.name == name else None

    def stream(self, name: str) -> Stream | None:
        """A stream that lives or lingers."""
        return self._streams.get(name)

    def is_live(self, stream: Stream) -> bool:
        """Whether a session feeds it."""
        return stream.name in self._publications

    def watchers(self, stream: Stream) -> list[Session]:
        """Who watches it over WHEP."""
        return [
            session
            for session in self._sessions.values()
            if session.stream is stream and isinstance(session, Watch)
        ]

    def gauges(self) -> dict[str, int]:
        """How much is going on."""
        return {
            "streams": len(self._streams),
            "streams_live": len(self._publications),
            "sessions": len(self._sessions),
            "sessions_limit": self._settings.max_sessions,
            "watchers": sum(isinstance(session, Watch) for session in self._sessions.values()),
            "renditions": sum(
                len(stream.renditions.seating()) for stream in self._streams.values()
            ),
        }

    def all_stats(self) -> list[StreamStats]:
        """The numbers of all streams."""
        return [stream.stats for stream in self._streams.values()]

    async def close(self) -> None:
        """End all sessions, with a word to the pages, and drop all streams."""
        self.draining = True
        sessions = list(self._sessions.values())
        for session in sessions:
            session.end("the server is stopping")
        await asyncio.gather(*(session.finished.wait() for session in sessions))
        await self._tasks.close()
        for stream in list(self._streams.values()):
            self._drop(stream)
        await self.encoding.close()

    def _check_room(self, spare: int = 0) -> None:
        if self.draining:
            raise Full("the server is stopping")
        if len(self._sessions) >= self._settings.max_sessions + spare:
            raise Full("the server has as many sessions as it may have")

    def _add_stream(self, name: str, key: str) -> Stream:
        if len(self._streams) >= self._settings.max_streams:
            # Somebody present comes before somebody who may return.
            if not self._lingering:
                raise Full("the server has as many streams as it may have")
            self._drop(self._streams[next(iter(self._lingering))])
        try:
            matting = self.engine.open_stream()
        except MattingError as error:
            raise Full(str(error)) from error
        stream = Stream(name, key, matting, self._backdrops, self._settings, self.encoding)
        self._streams[name] = stream
        return stream

    async def _take_over(self, session: Publication) -> None:
        name = session.stream.name
        while (old := self._publications.get(name)) is not None:
            old.end("another session took over this stream")
            await old.finished.wait()
            if self._publications.get(name) is old:
                del self._publications[name]
        self._publications[name] = session
        self._tasks.start(self._attend(session))

    def _enter(self, session: Session) -> None:
        self._sessions[session.id] = session
        self.totals.sessions += 1

    async def _attend(self, session: Session) -> None:
        try:
            await session.run()
        finally:
            await session.close()
            self._sessions.pop(session.id, None)
            name = session.stream.name
            if self._publications.get(name) is session:
                del self._publications[name]
            self._leave(session.stream)

    def _leave(self, stream: Stream) -> None:
        """Drop a stream that nobody feeds: after a while, or at once if it never had a frame."""
        name = stream.name
        if self._streams.get(name) is not stream or name in self._lingering:
            return
        if name in self._publications or self._claims[name]:
            return
        if not stream.stats.frames_in or self.draining:
            self._drop(stream)
            return
        self._lingering[name] = asyncio.get_running_loop().call_later(
            self._settings.stream_linger, self._drop, stream
        )

    def _stop_lingering(self, name: str) -> None:
        if (timer := self._lingering.pop(name, None)) is not None:
            timer.cancel()

    def _drop(self, stream: Stream) -> None:
        self._stop_lingering(stream.name)
        if self._streams.get(stream.name) is stream:
            del self._streams[stream.name]
            self.totals.add(stream.stats)
            stream.close()
        for session in self.watchers(stream):
            session.end("the stream ended")

"""The streams and sessions of this process, and the engine they share."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator

from gateway.backdrops import Backdrops
from gateway.claim import Caller, Claim
from gateway.feed import Feed
from gateway.kept_plates import KeptPlate, KeptPlates
from gateway.lingering import Lingering
from gateway.matting import Engine
from gateway.network import Network
from gateway.owned_tasks import OwnedTasks
from gateway.publications import NotLetGo, Publications
from gateway.scenery import AS_IT_IS, Kept, Scenery
from gateway.sdp import Offer
from gateway.session import Publication, Session, Watch
from gateway.settings import Settings
from gateway.stats import StreamStats, Totals
from gateway.stream import Stream
from models.errors import MattingError


class Full(Exception):
    """No room; the message says for what. Worth another try later."""


class NameTaken(Exception):
    """A stream of this name belongs to somebody else."""


class NotLive(Exception):
    """There is nothing to watch under this name, or not at the moment."""


class Worker:
    """Publishes, watches, and forgets streams that nobody feeds any more."""

    def __init__(
        self, settings: Settings, engine: Engine, backdrops: Backdrops, plates: KeptPlates
    ) -> None:
        self.engine = engine
        self.totals = Totals()
        self.draining = False
        self._settings = settings
        self._backdrops = backdrops
        self._plates = plates
        self._streams: dict[str, Stream] = {}
        self._sessions: dict[str, Session] = {}
        self._feeds: set[Feed] = set()
        self._publications = Publications()
        self._lingering = Lingering(
            settings.stream_linger, lambda name: self._drop(self._streams[name])
        )
        self._claims: Counter[str] = Counter()
        """Streams that a publication is being opened for: nobody may drop them meanwhile."""
        self._tasks = OwnedTasks()
        self.network = Network(settings)
        self.encoding = self.network.encoding
        self.reach = self.network.reach

    async def publish(
        self,
        name: str,
        key: str | None,
        offer: Offer,
        *,
        trusted: bool = False,
        identity: str | None = None,
        scenery: Scenery = AS_IT_IS,
    ) -> Publication:
        """Begin a session that feeds the stream `name`; a key is made where none is brought.

        A stream that still lingers, or lives, is taken over with its plate and backdrop by who
        brings its key. Without a key one that only lingers is taken over by `trusted` callers, with
        a new key and as if it were new, and that one or one that has fallen silent by who fed it
        with the same `identity`, with a new key that does not open the plate. Raises `BadOffer`,
        `NameTaken`, `Full`, and as `kept_plate`.
        """
        kept = self.kept_plate(scenery)
        caller = Caller(key, trusted, identity)
        with self._claimed(name, caller) as (stream, claim):
            peer = self.network.peer(stream.stats.arrivals)
            session = Publication(stream, peer, offer, self._settings, self.engine)
            # Entered before its answer: a second request must find this place taken.
            self._sessions[session.id] = session
            try:
                await session.open()
                # Not before the offer has proved to be of use: else nothing changes.
                await self._take_over(session, caller, claim, scenery, kept)
            except BaseException:
                self._sessions.pop(session.id, None)
                await session.close()
                raise
            self._tasks.start(self._attend(session))
        return session

    @contextlib.asynccontextmanager
    async def feeding(
        self,
        name: str,
        key: str | None = None,
        *,
        trusted: bool = False,
        scenery: Scenery = AS_IT_IS,
    ) -> AsyncIterator[Feed]:
        """Feed the stream `name` from connections that the gateway opens itself.

        Until the block is left the stream is live, whether or not frames come at the moment; then
        it lingers, as after a session. Whoever feeds watches `Feed.over`. Takes over, and raises,
        like `publish`.
        """
        kept = self.kept_plate(scenery)
        caller = Caller(key, trusted)
        with self._claimed(name, caller) as (stream, claim):
            feed = Feed(stream)
            self._feeds.add(feed)
            try:
                await self._take_over(feed, caller, claim, scenery, kept)
                yield feed
            finally:
                self._feeds.discard(feed)
                self._publications.leave(feed)
                feed.finished.set()

    async def watch(self, name: str, offer: Offer) -> Watch:
        """Begin a session that receives the composite; raises `BadOffer`, `NotLive` or `Full`."""
        stream = self._streams.get(name)
        if stream is None or name not in self._publications:
            raise NotLive(name)
        self._check_room()
        if len(self.watchers(stream)) >= self._settings.max_watchers:
            raise Full("this stream has as many watchers as it may have")
        session = Watch(stream, self.network.peer(), offer, self._settings)
        self._sessions[session.id] = session
        try:
            await session.open()
        except BaseException:
            self._sessions.pop(session.id, None)
            raise
        self._tasks.start(self._attend(session))
        return session

    def kept_plate(self, scenery: Scenery) -> KeptPlate | None:
        """For `Stream.prepare`; raises `UnknownBackdrop` or `UnknownPlate`."""
        self._backdrops.require(scenery.backdrop)
        return self._plates.find(scenery.plate.name) if isinstance(scenery.plate, Kept) else None

    def session(self, name: str, session: str) -> Session | None:
        """The session behind a URL."""
        found = self._sessions.get(session)
        return found if found is not None and found.stream.name == name else None

    def stream(self, name: str) -> Stream | None:
        """A stream that lives or lingers."""
        return self._streams.get(name)

    def is_live(self, stream: Stream) -> bool:
        """Whether somebody feeds it."""
        return stream.name in self._publications

    def watchers(self, stream: Stream) -> list[Session]:
        """Who watches it over WHEP."""
        sessions = self._sessions.values()
        return [each for each in sessions if each.stream is stream and isinstance(each, Watch)]

    def gauges(self) -> dict[str, int]:
        """How much is going on."""
        return {
            "streams": len(self._streams),
            "streams_live": len(self._publications),
            "sessions": len(self._present()),
            "sessions_limit": self._settings.max_sessions,
            "watchers": sum(isinstance(session, Watch) for session in self._sessions.values()),
            "renditions": sum(len(each.renditions.seating()) for each in self._streams.values()),
        }

    def all_stats(self) -> list[StreamStats]:
        """The numbers of all streams."""
        return [stream.stats for stream in self._streams.values()]

    async def drain(self) -> None:
        """Take nobody in any more, and wait until all sessions and feeds have ended."""
        self.draining = True
        await asyncio.gather(*(each.finished.wait() for each in self._present()))

    async def close(self) -> None:
        """End all sessions and feeds, with a word to the pages, and drop all streams."""
        for each in self._present():
            each.end("the server is stopping")
        await self.drain()
        await self._tasks.close()
        for stream in list(self._streams.values()):
            self._drop(stream)
        await self.encoding.close()

    def _present(self) -> list[Session | Feed]:
        return [*self._sessions.values(), *self._feeds]

    def _check_room(self, spare: int = 0) -> None:
        if self.draining:
            raise Full("the server is stopping")
        if len(self._present()) >= self._settings.max_sessions + spare:
            raise Full("the server has as many sessions as it may have")

    def _add_stream(self, name: str, key: str) -> Stream:
        if len(self._streams) >= self._settings.max_streams:
            # Somebody present comes before somebody who may return.
            if (longest := self._lingering.longest) is None:
                raise Full("the server has as many streams as it may have")
            self._drop(self._streams[longest])
        try:
            matting = self.engine.open_stream()
        except MattingError as error:
            raise Full(str(error)) from error
        stream = Stream(name, key, matting, self._backdrops, self._settings, self.encoding)
        self._streams[name] = stream
        return stream

    @contextlib.contextmanager
    def _claimed(self, name: str, caller: Caller) -> Iterator[tuple[Stream, Claim]]:
        """The stream, found or made, and what the caller is to it; nobody drops it meanwhile."""
        stream = self._streams.get(name)
        if stream is not None:
            # One that is being opened is somebody's already.
            live, opening = name in self._publications, bool(self._claims[name])
            silent = not opening and self._publications.silent(name)
            free = not (live or opening)
            claim = caller.claims(stream.key, stream.identity, free=free, silent=silent)
            if claim is None:
                raise NameTaken(name)
            # Who takes over from oneself needs no second place.
            self._check_room(spare=1 if live else 0)
        else:
            self._check_room()
            stream = self._add_stream(name, caller.key or secrets.token_urlsafe(24))
            claim = Claim.NEW
        self._lingering.end(name)
        self._claims[name] += 1
        try:
            yield stream, claim
        finally:
            self._claims[name] -= 1
            self._leave(stream)

    async def _take_over(
        self,
        feeder: Publication | Feed,
        caller: Caller,
        claim: Claim,
        scenery: Scenery,
        kept: KeptPlate | None,
    ) -> None:
        """Raises `Full` when whoever feeds the stream does not let it go."""
        stream = feeder.stream
        try:
            # Before anything of the stream is changed, and below again: another session with the
            # same key may have come in meanwhile.
            await self._publications.vacate(stream.name)
            await stream.belong_to(caller, claim)
            await stream.prepare(scenery, kept)
            await self._publications.take_over(feeder)
        except NotLetGo as error:
            raise Full(str(error)) from error

    async def _attend(self, session: Session) -> None:
        self.totals.sessions += 1
        try:
            await session.run()
        finally:
            await session.close()
            self._sessions.pop(session.id, None)
            if isinstance(session, Publication):
                self._publications.leave(session)
            self._leave(session.stream)

    def _leave(self, stream: Stream) -> None:
        """Drop a stream that nobody feeds: after a while, or at once if it never had a frame."""
        name = stream.name
        fed = name in self._publications or self._claims[name]
        if fed or self._streams.get(name) is not stream or name in self._lingering:
            return
        if not stream.stats.frames_in or self.draining:
            self._drop(stream)
            return
        self._lingering.begin(name)

    def _drop(self, stream: Stream) -> None:
        self._lingering.end(stream.name)
        if self._streams.get(stream.name) is stream:
            del self._streams[stream.name]
            self.totals.add(stream.stats)
            stream.close()
        for session in self.watchers(stream):
            session.end("the stream ended")

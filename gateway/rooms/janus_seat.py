"""One publisher of a VideoRoom: watched, matted, and shown beside itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from yarl import URL

from gateway.counterpart import BadAnswer
from gateway.peer import NotConnected, Peer
from gateway.relays.backoff import Patience
from gateway.relays.calls import CallFailed
from gateway.relays.incoming import gone, taken_in
from gateway.relays.leg import Tell
from gateway.relays.outgoing import given_out
from gateway.rooms.janus_messages import Publisher
from gateway.rooms.janus_session import Handle, Janus, JanusLost, JanusRefused, Reply
from gateway.rooms.seat import Over, Seat
from gateway.scenery import AS_IT_IS, Scenery
from gateway.sdp import BadOffer
from gateway.slot import SlotClosed
from gateway.stats import Arrivals
from gateway.worker import Worker

MARK: Final = " (Cleanplate)"
"""Behind the name of whom a composite shows; whoever bears it is nobody to be matted."""


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """Which room, and what to do there."""

    url: URL
    """Janus's WebSocket."""
    room: int | str
    pin: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    wanted: frozenset[str] = frozenset()
    """Ids or names of the publishers to matte; empty: all."""
    scenery: Scenery = AS_IT_IS

    @property
    def entry(self) -> dict[str, Any]:
        """What every request to join says."""
        return {"request": "join", "room": self.room} | ({"pin": self.pin} if self.pin else {})


class JanusSeat(Seat):
    """Of one publisher; `live` connects it."""

    ends = (Over, JanusLost)

    def __init__(
        self,
        who: Publisher,
        plan: RoomPlan,
        worker: Worker,
        *,
        deadline: float,
        patience: Patience,
        tell: Tell,
    ) -> None:
        super().__init__(who.title, worker, patience=patience, tell=tell)
        self.who = who
        self.shown_as: set[int | str] = set()
        """Ids under which the composite is, or was, published."""
        self._plan = plan
        self._deadline = deadline
        self._watched = asyncio.Event()
        """Set by the first connection with the camera: `_has_audio` is known from then on."""
        self._has_audio = False

    async def live(self, janus: Janus, private: int | None) -> None:
        """Watch and show until the stream is over; raises `JanusLost` when Janus is gone.

        `private` is what Janus calls the participant who may subscribe.
        """
        gone: JanusLost | None = None
        try:
            await self.connect(
                janus.lost(),
                self.again("watching", lambda: self._watch(janus, private)),
                self.again("showing", lambda: self._show(janus)),
            )
        except* JanusLost as lost:
            gone = JanusLost(str(lost.exceptions[0]))
        if gone is not None:
            raise gone

    async def _watch(self, janus: Janus, private: int | None) -> NoReturn:
        stream = self.feed.stream
        async with self._connection(janus, stream.stats.arrivals) as (handle, peer):
            body = {**self._plan.entry, "ptype": "subscriber", "streams": [{"feed": self.who.id}]}
            if private is not None:
                body["private_id"] = private
            offer = await self._described(handle, body)
            try:
                answer = await peer.counter(offer, {})
            except BadOffer as error:
                raise CallFailed(f"Janus offers something unusable: {error}") from error
            await handle.ask({"request": "start"}, _jsep("answer", answer))
            await self._connected(peer)
            if peer.video is None:
                raise CallFailed("they send no video")
            self._has_audio = peer.audio is not None
            self._watched.set()
            self.say("watching")
            await _whichever(taken_in(stream, peer, self._patience.stalled), handle.over())

    async def _show(self, janus: Janus) -> NoReturn:
        stream = self.feed.stream
        # An empty picture is of no use to anybody: wait for a composite, be it the backdrop. A
        # stream that lingered has one at once, when nobody knows yet whether there will be sound.
        await self._watched.wait()
        try:
            await stream.transformer.composites.after(0)
        except SlotClosed:
            raise Over from None
        async with self._connection(janus) as (handle, peer):
            joined = await handle.ask(
                {**self._plan.entry, "ptype": "publisher", "display": self.who.title + MARK}
            )
            if joined.data.id is None:
                raise CallFailed("Janus does not say under which id the composite is shown")
            self.shown_as.add(joined.data.id)
            with given_out(stream, peer, audio=self._has_audio) as tracks:
                offer = await peer.offer(tracks)
                body = {"request": "configure", "video": True, "audio": "audio" in tracks}
                answer = await self._described(handle, body, _jsep("offer", offer))
                try:
                    await peer.accept(answer)
                except BadAnswer as error:
                    raise CallFailed(f"Janus answers something unusable: {error}") from error
                await self._connected(peer)
                self.say(f"shown as {self.who.title}{MARK}")
                await _whichever(gone(peer), handle.over())

    @contextlib.asynccontextmanager
    async def _connection(
        self, janus: Janus, arrivals: Arrivals | None = None
    ) -> AsyncIterator[tuple[Handle, Peer]]:
        """A handle and a connection, both closed at the end; turns refusals into `CallFailed`."""
        try:
            handle = await janus.attach()
            try:
                async with self._worker.network.peer(arrivals) as peer:
                    yield handle, peer
            finally:
                await handle.detach()
        except JanusRefused as error:
            raise CallFailed(f"Janus refuses: {error}") from error

    @staticmethod
    async def _described(
        handle: Handle, body: dict[str, Any], jsep: dict[str, Any] | None = None
    ) -> str:
        reply: Reply = await handle.ask(body, jsep)
        if reply.jsep is None:
            raise CallFailed("Janus answers without a session description")
        return reply.jsep

    async def _connected(self, peer: Peer) -> None:
        try:
            async with asyncio.timeout(self._deadline):
                await peer.connected()
        except TimeoutError:
            raise CallFailed(f"it did not connect within {self._deadline:g} s") from None
        except NotConnected as error:
            raise CallFailed(str(error)) from error


async def _whichever(media: Awaitable[NoReturn], hung_up: Awaitable[NoReturn]) -> NoReturn:
    """Wait until media or their handle end; raises `CallFailed`."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_awaited(media))
            tasks.create_task(_awaited(hung_up))
    except* CallFailed as failed:
        reason = str(failed.exceptions[0])
    except* JanusLost as lost:
        reason = str(lost.exceptions[0])
    raise CallFailed(reason)


async def _awaited(work: Awaitable[NoReturn]) -> NoReturn:
    await work


def _jsep(kind: str, sdp: str) -> dict[str, Any]:
    # All candidates are in it.
    return {"type": kind, "sdp": sdp, "trickle": False}

"""One relay: pulls a stream from one server, mattes it, pushes the composite to another.

The stream between the two lives as long as the relay does, so that either side can be lost and
found again without plate and backdrop being lost with it. While nothing comes, the other side is
shown the backdrop.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from yarl import URL

from gateway.backdrops import UnknownBackdrop
from gateway.kept_plates import UnknownPlate
from gateway.relays.backoff import Backoff, Patience
from gateway.relays.calls import CallFailed
from gateway.relays.endpoint import Endpoint
from gateway.relays.incoming import taken_in
from gateway.relays.leg import Hopeless, Leg, Tell
from gateway.relays.outbound import Outbound
from gateway.relays.outgoing import given_out
from gateway.relays.whep_client import pulled
from gateway.relays.whip_client import pushed
from gateway.scenery import AS_IT_IS, Scenery
from gateway.slot import SlotClosed
from gateway.stream import Stream
from gateway.worker import Full, NameTaken, Worker


@dataclass(frozen=True, slots=True)
class Plan:
    """What a relay is to do."""

    pull_url: URL
    """Where the camera's video is pulled from (WHEP)."""
    push_url: URL
    """Where the composite is pushed to (WHIP)."""
    name: str
    """Of the stream in between."""
    key: str | None = field(default=None, repr=False)
    """Opens that stream, as a publisher's key does; without, one is made."""
    trusted: bool = False
    """See `Worker.publish`."""
    pull_token: str | None = field(default=None, repr=False)
    push_token: str | None = field(default=None, repr=False)
    scenery: Scenery = AS_IT_IS


class RelayOver(Exception):
    """Ends a relay's tasks; the reason is for people."""


class Relay:
    """Used as: `run` in a task of its own, which ends by itself when hopeless, or after `end`."""

    def __init__(
        self,
        plan: Plan,
        worker: Worker,
        outbound: Outbound,
        *,
        deadline: float,
        patience: Patience,
        tell: Tell,
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.plan = plan
        self.failed = False
        """Whether it ended because it was hopeless."""
        self.reason = ""
        """Why it ended, for people."""
        self.began: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
        """The stream once there is one; raises what `Worker.feeding` raises."""
        self.finished = asyncio.Event()
        """Set when both servers were told and everything is free again."""
        self._worker = worker
        self._deadline = deadline
        self._patience = patience
        self._over = asyncio.Event()
        self._pulled = asyncio.Event()
        """Set by the first connection with the camera: `_has_audio` is known from then on."""
        self._has_audio = False
        puller = Endpoint(plan.pull_url, plan.pull_token, outbound)
        pusher = Endpoint(plan.push_url, plan.push_token, outbound)
        self._pull = Leg("pull", puller, Backoff(patience), patience.settled, tell)
        self._push = Leg("push", pusher, Backoff(patience), patience.settled, tell)

    @property
    def has_begun(self) -> bool:
        """Whether there is, or was, a stream."""
        return self.began.done() and not self.began.cancelled() and not self.began.exception()

    @property
    def state(self) -> Literal["connecting", "live", "ended"]:
        """In a word: live while both sides are connected."""
        if self.finished.is_set():
            return "ended"
        both = self._pull.state == self._push.state == "connected"
        return "live" if both else "connecting"

    async def run(self) -> None:
        """Pull and push until it is over."""
        plan = self.plan
        try:
            async with self._worker.feeding(
                plan.name, plan.key, trusted=plan.trusted, scenery=plan.scenery
            ) as feed:
                self.began.set_result(feed.stream)
                await self._live(feed.stream, feed.over, lambda: feed.reason)
        except (NameTaken, Full, UnknownBackdrop, UnknownPlate) as error:
            self.began.set_exception(error)
        except Exception:  # goes on upwards
            # Whatever it was: who asks for this relay's state must not be told that all is well.
            # `Relays` logs it.
            self.failed, self.reason = True, "the relay itself failed; the log says why"
            raise
        finally:
            # Unless something unheard of happened: nobody shall wait for it for ever.
            self.began.cancel()
            self._pull.state = self._push.state = "ended"
            self.finished.set()

    def end(self, reason: str) -> None:
        """Ask `run` to finish; `finished` tells when it has."""
        if not self._over.is_set():
            self.reason = reason
            self._over.set()

    def describe(self) -> dict[str, Any]:
        """`GET /relays/{id}`: without any secret, and URLs may hold some."""
        return {
            "id": self.id,
            "stream": self.plan.name,
            "state": self.state,
            "reason": self.reason,
            "pull": self._pull.describe(),
            "push": self._push.describe(),
        }

    async def _live(self, stream: Stream, over: asyncio.Event, why: Callable[[], str]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_until(over, why))
                tasks.create_task(_until(self._over, lambda: self.reason))
                tasks.create_task(self._pull.keep(lambda then: self._pull_once(stream, then)))
                tasks.create_task(self._push.keep(lambda then: self._push_once(stream, then)))
        except* RelayOver as ended:
            self.reason = str(ended.exceptions[0])
        except* Hopeless as hopeless:
            self.failed, self.reason = True, str(hopeless.exceptions[0])

    async def _pull_once(self, stream: Stream, then: Callable[[], None]) -> None:
        self._pull.connecting()
        endpoint = self._pull.endpoint
        async with pulled(
            endpoint, self._worker.network, stream.stats.arrivals, self._deadline
        ) as peer:
            then()
            self._has_audio = self._has_audio or peer.audio is not None
            self._pulled.set()
            try:
                await taken_in(stream, peer, self._patience.stalled)
            except CallFailed as lost:
                raise CallFailed(f"{endpoint.place}: {lost}") from None

    async def _push_once(self, stream: Stream, then: Callable[[], None]) -> None:
        # Nobody is called before there is something to show, be it the backdrop. A stream that
        # lingered shows that at once, when nobody knows yet whether there will be sound.
        await self._pulled.wait()
        try:
            await stream.transformer.composites.after(0)
        except SlotClosed:
            raise RelayOver("the stream ended") from None
        self._push.connecting()
        endpoint = self._push.endpoint
        async with pushed(
            endpoint,
            self._worker.network,
            lambda peer: given_out(stream, peer, audio=self._has_audio),
            self._deadline,
        ) as peer:
            then()
            how = await peer.ended()
        raise CallFailed(f"{endpoint.place}: {how}")


async def _until(event: asyncio.Event, why: Callable[[], str]) -> NoReturn:
    await event.wait()
    raise RelayOver(why())

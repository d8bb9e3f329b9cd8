"""A WHIP or WHEP endpoint that the gateway calls, and a session that it opened there."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Final

from aiortc import RTCIceServer
from yarl import URL

from gateway.counterpart import BadAnswer
from gateway.peer import NotConnected, Peer
from gateway.relays.calls import CallFailed, Calls, Reply, joined, place_of
from gateway.relays.ice_links import named_servers
from gateway.relays.outbound import Outbound, Refused

logger = logging.getLogger(__name__)

LEAVING: Final = 5.0
"""Seconds for a DELETE."""


class Endpoint:
    """Where one side of a relay goes, and what is known of it from one connection to the next."""

    def __init__(self, url: URL, token: str | None, outbound: Outbound) -> None:
        self.url = url
        self.place = place_of(url)
        """For people."""
        self.ice_servers: list[RTCIceServer] = []
        """What it named last."""
        self._token = token
        self._outbound = outbound

    def calls(self) -> Calls:
        """For one connection."""
        return Calls(self._outbound, self.url, self._token)

    async def ask_servers(self, calls: Calls) -> None:
        """Learn the ICE servers before candidates are gathered, where the endpoint tells them.

        RFC 9725 (4.6) puts them into the answer to the offer, which is too late for the offer's
        own candidates, and lets the answer to OPTIONS have them too.
        """
        reply = await calls.request("OPTIONS", self.url)
        if reply.status in (200, 204):
            await self.learn(reply)

    async def learn(self, reply: Reply) -> None:
        """Take the ICE servers that an answer names, if any."""
        servers = await named_servers(reply.headers.getall("Link", ()), self._outbound)
        if servers:
            self.ice_servers = servers


class RemoteSession:
    """A session at the other server, which is told when we leave: an async context manager."""

    def __init__(self, calls: Calls, reply: Reply) -> None:
        """`reply` is what the POST was answered; raises `CallFailed` or `Refused`."""
        self._calls = calls
        self._place = place_of(reply.url)
        self._etag = reply.headers.get("ETag")
        self._url: URL | None = None
        location = reply.headers.get("Location")
        if location:
            self._url = calls.outbound.permitted(joined(reply.url, location))
        else:
            logger.warning("%s names no session: it cannot be told when we leave", self._place)

    async def __aenter__(self) -> RemoteSession:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._url is None:
            return
        try:
            async with asyncio.timeout(LEAVING):
                reply = await self._calls.request("DELETE", self._url)
            logger.debug("%s answers %s to DELETE", self._place, reply.status)
        except (CallFailed, Refused, TimeoutError) as failed:
            # It finds out by itself: consent expires (RFC 7675).
            logger.info("%s could not be told that we leave: %s", self._place, failed)

    async def give_answer(self, answer: str) -> None:
        """Answer a counter-offer (WHEP); raises `CallFailed`."""
        if self._url is None:
            raise CallFailed(f"{self._place} offers, but names no Location to answer to")
        # As for trickled candidates: who gives an ETag may insist on it (RFC 9725, 4.3.1).
        reply = await self._calls.request("PATCH", self._url, answer, etag=self._etag)
        if not 200 <= reply.status < 300:
            raise reply.refusal(self._place)


async def accepted(peer: Peer, answer: str, place: str) -> None:
    """Hand an answer over; raises `CallFailed`."""
    try:
        await peer.accept(answer)
    except BadAnswer as error:
        raise CallFailed(f"{place} answers something unusable: {error}") from error


async def connected(peer: Peer, place: str, deadline: float) -> None:
    """Wait until media can flow; raises `CallFailed`."""
    try:
        async with asyncio.timeout(deadline):
            await peer.connected()
    except (TimeoutError, NotConnected) as error:
        raise CallFailed(
            f"no media connection with {place} within {deadline:g} s; a firewall may be in between"
        ) from error

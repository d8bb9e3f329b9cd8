"""Pushing: a WHIP client, RFC 9725."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from typing import TypeAlias

from aiortc import MediaStreamTrack

from gateway.network import Network
from gateway.peer import Peer
from gateway.relays.endpoint import Endpoint, RemoteSession, accepted, connected

Outgoing: TypeAlias = Callable[[Peer], AbstractContextManager[Mapping[str, MediaStreamTrack]]]
"""The tracks, by kind, for a connection; they are needed until the block is left."""


@contextlib.asynccontextmanager
async def pushed(
    endpoint: Endpoint,
    network: Network,
    outgoing: Outgoing,
    deadline: float,
) -> AsyncIterator[Peer]:
    """A connection on which these tracks go to the other server.

    The session is deleted at the end. Raises `gateway.relays.calls.CallFailed` or
    `gateway.relays.outbound.Refused`.
    """
    async with endpoint.calls() as calls, contextlib.AsyncExitStack() as stack:
        await endpoint.ask_servers(calls)
        peer = await stack.enter_async_context(network.peer(None, endpoint.ice_servers))
        offer = await peer.offer(stack.enter_context(outgoing(peer)))
        reply = await calls.request("POST", endpoint.url, offer)
        if reply.status not in (200, 201):
            raise reply.refusal(endpoint.place)
        await stack.enter_async_context(RemoteSession(calls, reply))
        # Too late for this offer's candidates; the next connection has them.
        await endpoint.learn(reply)
        await accepted(peer, reply.text, endpoint.place)
        await connected(peer, endpoint.place, deadline)
        yield peer

"""Pulling: a WHEP client, draft-ietf-wish-whep-04, with counter-offers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from gateway.network import Network
from gateway.peer import Peer
from gateway.relays.calls import SDP, CallFailed, Reply
from gateway.relays.endpoint import Endpoint, RemoteSession, accepted, connected
from gateway.sdp import BadOffer
from gateway.stats import Arrivals


@contextlib.asynccontextmanager
async def pulled(
    endpoint: Endpoint, network: Network, arrivals: Arrivals, deadline: float
) -> AsyncIterator[Peer]:
    """A connection on which the other server's video comes, and its audio if it has some.

    The session is deleted at the end. Raises `gateway.relays.calls.CallFailed` or
    `gateway.relays.outbound.Refused`.
    """
    async with endpoint.calls() as calls, contextlib.AsyncExitStack() as stack:
        await endpoint.ask_servers(calls)
        peer = await stack.enter_async_context(network.peer(arrivals, endpoint.ice_servers))
        offer = await peer.offer({}, receive=("video", "audio"))
        reply = await calls.request("POST", endpoint.url, offer)
        if reply.status not in (200, 201) and not _is_counter_offer(reply):
            raise reply.refusal(endpoint.place)
        session = await stack.enter_async_context(RemoteSession(calls, reply))
        await endpoint.learn(reply)
        if _is_counter_offer(reply):
            # A connection that has offered cannot answer.
            await peer.close()
            peer = await stack.enter_async_context(network.peer(arrivals, endpoint.ice_servers))
            await session.give_answer(await _countered(peer, reply.text, endpoint.place))
        else:
            await accepted(peer, reply.text, endpoint.place)
        if peer.video is None:
            # There may be a camera later.
            raise CallFailed(f"{endpoint.place} sends no video")
        await connected(peer, endpoint.place, deadline)
        yield peer


def _is_counter_offer(reply: Reply) -> bool:
    """Whether the server cannot answer our offer and makes one itself, as Janus does."""
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return reply.status == 406 and kind == SDP


async def _countered(peer: Peer, offer: str, place: str) -> str:
    try:
        return await peer.counter(offer, {})
    except BadOffer as error:
        raise CallFailed(f"{place} offers something unusable: {error}") from error

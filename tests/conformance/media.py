"""Sessions in which media flow: sections 4.2 to 4.4 of RFC 9725."""

from __future__ import annotations

from tests.conformance.case import BOTH, MAY, MUST, SHOULD, WHEP, WHIP, Cases, NotSupported, expect
from tests.conformance.endpoint import SDP, Endpoint
from tests.conformance.player import playing

CASES = Cases()
case = CASES.enter


@case(BOTH, MUST, "4.2", "a client connects, with audio and video")
async def connects(endpoint: Endpoint) -> None:
    async with playing(endpoint, audio=True):
        pass


@case(BOTH, MUST, "4.3.2", "a client connects that trickles all its candidates")
async def trickles(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        await endpoint.patch(session, session.offer.fragment(), condition=session.etag)
    async with playing(endpoint, trickle=True):
        pass


@case(WHIP, SHOULD, "4.4.4", "a client connects that is DTLS client only", "active")
@case(WHIP, MUST, "RFC 8842 5.3", "a client connects that is DTLS server only", "passive")
async def connects_as(endpoint: Endpoint, setup: str) -> None:
    async with playing(endpoint, setup=setup):
        pass


@case(WHEP, MUST, "WHEP 4.2", "a client that watches gets a picture")
async def shows(endpoint: Endpoint) -> None:
    async with playing(endpoint) as player:
        await player.video(10)
        expect(min(player.size) > 0, f"it is {player.size}")


@case(WHEP, SHOULD, "WHEP 1", "two clients watch at the same time")
async def shows_twice(endpoint: Endpoint) -> None:
    async with playing(endpoint) as first, playing(endpoint) as second:
        await first.video(5)
        await second.video(5)


@case(WHEP, MAY, "WHEP 4.2", "a counter-offer (406) is sendonly, and answers that are none refused")
async def counter_offer(endpoint: Endpoint) -> None:
    reply = await endpoint.post(endpoint.description().text())
    try:
        if reply.status != 406:
            raise NotSupported("it takes the client's offers")
        expect(reply.type == SDP, f"its type is {reply.type!r}")
        expect("a=sendonly" in reply.text, "it is not sendonly")
        url = endpoint.session_url(reply)
        patched = await endpoint.call("PATCH", url, "hello", Content_Type=SDP)
        expect(patched.refused, f"an answer that is none is answered {patched.status}")
    finally:
        await endpoint.end(reply)


@case(BOTH, MUST, "4.2", "DELETE ends ICE and DTLS too")
async def says_goodbye(endpoint: Endpoint) -> None:
    async with playing(endpoint) as player:
        reply = await endpoint.call("DELETE", player.url)
        expect(reply.status in (200, 204), f"it is answered {reply.status}")
        await player.left()

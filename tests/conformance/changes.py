"""Changing a session: trickled candidates and ICE restarts, section 4.3 of RFC 9725."""

from __future__ import annotations

import secrets

from tests.conformance.case import BOTH, MAY, MUST, SHOULD, Cases, NotSupported, expect
from tests.conformance.endpoint import FRAGMENT, Endpoint, Reply, Session

HOST = "1 1 udp 2130706431 192.0.2.1 50000 typ host"
UNUSABLE = (
    "2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
    "3 1 carrier-pigeon 2130706431 192.0.2.1 50000 typ host",
    "4 1 udp 2130706431 nowhere.invalid 50000 typ host",
    f"5 1 udp 2130706431 {secrets.token_hex(8)}.local 50000 typ host",
    "6 1 udp 2130706431 192.0.2.1 50000 typ homing-pigeon",
)

CASES = Cases()
case = CASES.enter


@case(BOTH, SHOULD, "4.3.1", "the 201 has a strong ETag")
async def etag(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        tag = session.etag
        expect(not tag.startswith("W/"), f"{tag} is weak")
        expect(
            len(tag) > 2 and tag[0] == tag[-1] == '"', f"{tag} is not in quotes (RFC 9110 8.8.3)"
        )


@case(BOTH, MUST, "4.3.2", "trickled candidates are answered 204, without body and ETag")
async def trickle(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        reply = await endpoint.patch(session, session.offer.fragment(HOST), condition=session.etag)
        expect(reply.status == 204, f"it is answered {reply}")
        expect(not reply.text, "there is a body")
        expect("ETag" not in reply.headers, "there is an ETag")


@case(BOTH, MUST, "4.3.2", "candidates of no use are dropped without a word")
async def unusable(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        fragment = session.offer.fragment(*UNUSABLE, HOST) + "a=end-of-candidates\r\n"
        reply = await endpoint.patch(session, fragment, condition=session.etag)
        expect(reply.status == 204, f"it is answered {reply}")


@case(BOTH, MUST, "4.3.1", "PATCH without If-Match is answered 428", None, 428)
@case(BOTH, MUST, "4.3.1", "PATCH with another ETag is answered 412", '"another"', 412)
@case(BOTH, MUST, "RFC 9110 13.1.1", "If-Match compares strongly", "W/{tag}", 412)
@case(BOTH, MUST, "RFC 9110 13.1.1", "If-Match may list ETags", '"another", {tag}', 204)
async def condition(endpoint: Endpoint, given: str | None, status: int) -> None:
    async with endpoint.session() as session:
        tag = session.etag
        given = None if given is None else given.replace("{tag}", tag)
        reply = await endpoint.patch(session, session.offer.fragment(HOST), condition=given)
        expect(reply.status == status, f"it is answered {reply.status}")


@case(BOTH, MUST, "RFC 9110 15.5.5", "a session that does not exist cannot be changed")
async def unknown(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        url = session.url.rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
        reply = await endpoint.patch(session, session.offer.fragment(), condition="*", url=url)
        expect(reply.refused, f"it is answered {reply.status}")


@case(BOTH, MUST, "4.3.1", "PATCH of another content type is refused")
async def patch_type(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        fragment = session.offer.fragment(HOST)
        reply = await endpoint.patch(
            session, fragment, condition=session.etag, type="application/json"
        )
        expect(reply.refused, f"it is answered {reply.status}")


@case(BOTH, MUST, "4.3.1", "a malformed fragment is refused")
async def patch_malformed(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        reply = await endpoint.patch(session, "what is this\r\n", condition=session.etag)
        expect(reply.refused, f"it is answered {reply.status}")


@case(BOTH, MAY, "4.3.3", "an ICE restart is answered 200 with a new ETag")
async def restart(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        reply = await restarted(endpoint, session)
        if reply.status == 422:
            raise NotSupported("422")
        expect(reply.status == 200, f"it is answered {reply}")
        expect(reply.type == FRAGMENT, f"its type is {reply.type}")
        tag = reply.headers.get("ETag")
        expect(tag not in (None, session.reply.headers.get("ETag")), "there is no new ETag")
        expect("a=ice-ufrag:" in reply.text, "the fragment has no ice-ufrag")


@case(BOTH, MUST, "4.3.3", "an ICE restart that is refused keeps the session")
async def refused_restart(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        reply = await restarted(endpoint, session)
        if reply.status == 200:
            raise NotSupported("it is not refused")
        expect(reply.refused, f"it is answered {reply.status}")
        reply = await endpoint.call("DELETE", session.url)
        expect(reply.status in (200, 204), f"the session is gone: {reply.status}")


async def restarted(endpoint: Endpoint, session: Session) -> Reply:
    """A fragment with new credentials, which is an ICE restart."""
    offer = endpoint.description()
    return await endpoint.patch(session, offer.fragment(HOST), condition="*")

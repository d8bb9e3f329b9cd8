"""Offers and answers: sections 4.2 and 4.4 of RFC 9725, which WHEP repeats.

The sessions carry no media: their offers name no candidates.
"""

from __future__ import annotations

import json

from tests.conformance.case import BOTH, MAY, MUST, SHOULD, WHEP, WHIP, Cases, NotSupported, expect
from tests.conformance.endpoint import SDP, Endpoint, Reply, Session
from tests.conformance.offers import (
    SIMULCAST,
    UNKNOWN_CODEC,
    WRONG,
    direction_of,
    kind_of,
    sections,
    values,
)

WHEP_SETUP = "WHEP 4.2"

CASES = Cases()
case = CASES.enter


# Setting up


@case(BOTH, MUST, "4.2", "an offer is answered 201 with application/sdp")
async def created(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        expect(session.reply.type == SDP, f"the answer's type is {session.reply.type!r}")
        expect(session.answer.startswith("v=0"), "the body is no session description")


@case(BOTH, SHOULD, "RFC 8866 8.1", "the answer's content type has no parameters")
async def exact_type(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        found = session.reply.headers.get("Content-Type")
        expect(found == SDP, f"it is {found!r}")


@case(BOTH, MUST, "4.2", "Location names a session of its own")
async def located(endpoint: Endpoint) -> None:
    async with endpoint.opened() as session:
        expect(session.url != session.reply.url, "it is the endpoint's own URL")


@case(BOTH, SHOULD, "5", "session URLs cannot be guessed, and do not come again")
async def unguessable(endpoint: Endpoint) -> None:
    async with endpoint.opened() as first:
        pass
    async with endpoint.opened() as session:
        expect(first.url != session.url, f"two sessions have had the URL {session.url}")
        longest = max(session.url.partition("?")[0].split("/")[3:], key=len)
        # 16 characters of base64 hold 96 bits.
        expect(len(longest) >= 16, f"{session.url} has nothing long in its path")


@case(BOTH, MUST, "4.3.2", "all of the server's candidates are in its description")
async def gathered(endpoint: Endpoint) -> None:
    async with endpoint.opened() as session:
        expect(values(session.answer, "candidate"), "there is no candidate")


@case(WHIP, MUST, "4.2", "a sendrecv offer is answered recvonly", "recvonly")
@case(WHEP, MUST, WHEP_SETUP, "a sendrecv offer is answered sendonly", "sendonly")
async def one_way(endpoint: Endpoint, expected: str) -> None:
    offer = endpoint.description("audio", "video")
    offer.direction = "sendrecv"
    async with endpoint.session(offer) as session:
        for section in sections(session.answer):
            found = direction_of(section)
            expect(found == expected, f"the {kind_of(section)} section is {found}")


@case(WHIP, MUST, "4.2", "a sendonly offer is answered recvonly", "recvonly")
@case(WHEP, MUST, WHEP_SETUP, "a recvonly offer is answered sendonly", "sendonly")
async def direction(endpoint: Endpoint, expected: str) -> None:
    async with endpoint.session() as session:
        for section in sections(session.answer):
            found = direction_of(section)
            expect(found == expected, f"the {kind_of(section)} section is {found}")


@case(BOTH, SHOULD, "4.2", "an offer in the wrong direction is refused")
async def wrong_direction(endpoint: Endpoint) -> None:
    offer = endpoint.description()
    for word in (WRONG[endpoint.kind], "inactive"):
        offer.direction = word
        await endpoint.refused(offer.text(), what=f"an offer that is {word}")


@case(BOTH, MUST, "4.2", "an offer of another content type is refused")
async def other_type(endpoint: Endpoint) -> None:
    for type in ("application/json", "text/plain", "application/sdpx"):
        await endpoint.refused(endpoint.description().text(), type, what=f"an offer as {type}")


@case(BOTH, MUST, "4.2", "a malformed offer is refused")
async def malformed(endpoint: Endpoint) -> None:
    good = endpoint.description().text()
    without = good.replace("a=ice-pwd:", "a=ice-password:")
    for what, offer in (
        ("an empty body", ""),
        ("a body that is no SDP", "hello"),
        ("JSON", json.dumps({"type": "offer", "sdp": good})),
        ("an offer without media", good.partition("m=")[0]),
        ("an offer without ICE password", without),
    ):
        await endpoint.refused(offer, what=what)


@case(BOTH, MUST, "RFC 9110 8.3.1", "content types are compared without regard to case")
async def type_in_capitals(endpoint: Endpoint) -> None:
    async with endpoint.opened(type="Application/SDP"):
        pass


@case(BOTH, SHOULD, "RFC 9110 8.3.1", "a content type may have parameters")
async def type_with_parameters(endpoint: Endpoint) -> None:
    async with endpoint.opened(type="application/sdp; charset=utf-8"):
        pass


@case(BOTH, SHOULD, "4.2", "a query in the URL does no harm")
async def query(endpoint: Endpoint) -> None:
    url = endpoint.url()
    async with endpoint.opened(url=f"{url}{'&' if '?' in url else '?'}conformance=1"):
        pass


# The answer


@case(BOTH, MUST, "RFC 8866 9", "lines of the server's description end with CRLF")
async def line_ends(endpoint: Endpoint) -> None:
    async with endpoint.opened() as session:
        expect(session.answer.endswith("\r\n"), "its last line has no end")
        expect(session.answer.count("\n") == session.answer.count("\r\n"), "some end with LF alone")


@case(BOTH, MUST, "4.4.1", "audio and video share one transport")
async def bundled(endpoint: Endpoint) -> None:
    async with endpoint.session(endpoint.description("audio", "video")) as session:
        groups = [value.split() for value in values(session.answer, "group")]
        expect(["BUNDLE", "0", "1"] in groups, f"the answer's groups are {groups}")
        for attribute in ("ice-ufrag", "fingerprint"):
            # A fingerprint may be given by several hash functions (RFC 8122, 5).
            each = [values("\n".join(lines), attribute) for lines in sections(session.answer)]
            expect(len({tuple(found) for found in each if found}) <= 1, f"{attribute} differs")


@case(BOTH, MUST, "4.4.1", "every bundled section says rtcp-mux", "a=rtcp-mux")
@case(BOTH, MUST, "4.4.1", "every bundled section says rtcp-mux-only", "a=rtcp-mux-only")
async def multiplexed(endpoint: Endpoint, line: str) -> None:
    async with endpoint.opened(endpoint.description("audio", "video")) as session:
        for section in sections(session.answer):
            if kind_of(section) == "application":
                continue
            expect(line in section, f"the {kind_of(section)} section lacks {line}")


@case(BOTH, SHOULD, "4.4.3", "an answer takes all of the offer's sections")
async def whole(endpoint: Endpoint) -> None:
    async with endpoint.session(endpoint.description("audio", "video")) as session:
        expect(taken(session) == ["audio", "video"], f"it takes {taken(session)}")


@case(BOTH, SHOULD, "4.4.3", "a section without a known codec is refused, not left out")
async def unknown_codec(endpoint: Endpoint) -> None:
    offer = endpoint.description("audio", "video")
    offer.video_codecs = UNKNOWN_CODEC
    reply = await endpoint.post(offer.text())
    await endpoint.end(reply)
    expect(reply.status != 201, "the offer is answered in part")
    expect(reply.refused, f"it is answered {reply.status}")


@case(BOTH, MUST, "4.4.2", "two videos are taken whole or refused", "audio", "video", "video")
@case(BOTH, MUST, "4.4.2", "audio alone is taken whole or refused", "audio")
@case(BOTH, MUST, "4.4.2", "video alone is taken whole or refused", "video")
async def all_or_nothing(endpoint: Endpoint, *kinds: str) -> None:
    reply = await endpoint.post(endpoint.description(*kinds).text())
    await endpoint.end(reply)
    if endpoint.kind == "whep" and reply.status == 406:
        raise NotSupported("it answers with counter-offers (406)")
    expect(reply.status == 201 or reply.refused, f"it is answered {reply.status}")
    if reply.status == 201:
        expect(len(taken(reply)) == len(kinds), f"of {kinds} it takes {taken(reply)}")


@case(BOTH, MAY, "RFC 8841", "a data channel may be offered beside the media")
async def data_channel(endpoint: Endpoint) -> None:
    reply = await endpoint.post(endpoint.description("audio", "video", "application").text())
    await endpoint.end(reply)
    if reply.refused:
        raise NotSupported(f"it is answered {reply.status}")
    expect(reply.status == 201, f"it is answered {reply.status}")
    expect(len(sections(reply.text)) == 3, "the answer has another number of sections (RFC 3264 6)")


@case(BOTH, SHOULD, "RFC 8838 4.1", "the answer says that it can trickle, where it can")
async def says_trickle(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        await endpoint.patch(session, session.offer.fragment(), condition=session.etag)
        words = " ".join(values(session.answer, "ice-options")).split()
        expect("trickle" in words, f"its ice-options are {words}")


@case(BOTH, MUST, "4.4.4", "an offer with setup:active is answered passive or refused", "active")
@case(BOTH, MUST, "4.4.4", "an offer with setup:passive is answered active", "passive")
@case(BOTH, MUST, "4.4.4", "an offer with setup:actpass is answered with a role", "actpass")
async def role(endpoint: Endpoint, offered: str) -> None:
    reply = await endpoint.post(endpoint.description(setup=offered).text())
    await endpoint.end(reply)
    if reply.status == 422 or (endpoint.kind == "whep" and reply.status == 406):
        raise NotSupported(f"it is answered {reply.status}")
    expect(reply.status == 201, f"it is answered {reply}")
    allowed = {"active": ["passive"], "passive": ["active"], "actpass": ["active", "passive"]}
    for found in values(reply.text, "setup"):
        expect(found in allowed[offered], f"it is answered setup:{found}")


@case(WHIP, MAY, "4.8", "simulcast is answered with layers of the offer")
async def simulcast(endpoint: Endpoint) -> None:
    offer = endpoint.description()
    offer.extra = SIMULCAST
    async with endpoint.session(offer) as session:
        answered = values(session.answer, "simulcast")
        if not answered:
            raise NotSupported("the answer names no layers; clients may send any one of them")
        words = answered[0].split()
        expect(words[0] == "recv", f"it says simulcast:{answered[0]}")
        rids = {rid.lstrip("~") for part in words[1].split(";") for rid in part.split(",")}
        expect(rids <= {"q", "h", "f"}, f"it names {sorted(rids)}")
        named = {value.split()[0] for value in values(session.answer, "rid")}
        expect(rids <= named, "it has no a=rid line for a layer")


@case(BOTH, MAY, "4.6", "Link names STUN and TURN servers, with all that a client needs")
async def ice_servers(endpoint: Endpoint) -> None:
    async with endpoint.session() as session:
        links = [link for link in split_links(session.reply) if 'rel="ice-server"' in link]
        if not links:
            raise NotSupported("the 201 names none")
        for link in links:
            uri = link.partition(">")[0].lstrip("<")
            expect(uri.startswith(("stun:", "stuns:", "turn:", "turns:")), f"{uri} is neither")
            if uri.startswith("turn"):
                for name in ("username", "credential"):
                    expect(f'{name}="' in link, f"{uri} has no {name}")


def taken(reply: Session | Reply) -> list[str]:
    """Kinds of the sections that an answer does not reject, in order."""
    answer = reply.text if isinstance(reply, Reply) else reply.answer
    return [
        kind_of(section)
        for section in sections(answer)
        if (section[0].split()[1] != "0" or "a=bundle-only" in section)
        and direction_of(section) != "inactive"
    ]


def split_links(reply: Reply) -> list[str]:
    """The values of all `Link` headers."""
    joined = ",".join(reply.headers.getall("Link", []))
    return [f"<{part.strip().rstrip(',')}" for part in joined.split("<")[1:]]

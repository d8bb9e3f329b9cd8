"""The conformance suite at servers of others: what they are known to breach, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.conformance.case import Verdict, judge
from tests.conformance.cases import CASES, live
from tests.conformance.endpoint import Endpoint
from tests.sfu.film import FilmCamera
from tests.sfu.janus import janus
from tests.sfu.pion import pion, whep, whip
from tests.sfu.probe import publishing, receiving
from tests.sfu.whep_server import whep_server
from tests.sfu.whip_server import TOKEN, endpoint, whip_server

pytestmark = pytest.mark.sfu

PION = {
    # Of its HTTP, which is ours and short.
    "OPTIONS is answered 200 or 204",
    "OPTIONS names application/sdp in Accept-Post",
    "a preflight is granted, for all methods and headers of a page",
    "an offer in the wrong direction is refused",
    "an offer of another content type is refused",
    # Of Pion itself.
    "every bundled section says rtcp-mux-only",
    "an offer with setup:active is answered passive or refused",
}
PION_INGEST = {
    "a section without a known codec is refused, not left out",
    "a client connects that is DTLS client only",
}
PION_EGRESS = {"a sendrecv offer is answered sendonly"}
NOW_AND_THEN = {"DELETE ends ICE and DTLS too"}
"""Another verdict in another run, at Pion and at Janus alike; why is not known yet."""

MEETECHO = {
    "OPTIONS names application/sdp in Accept-Post",
    "a page may read ETag",
    "content types are compared without regard to case",
    "a content type may have parameters",
    "every bundled section says rtcp-mux-only",
}
MEETECHO_INGEST = {
    "the word Bearer is read without regard to case",
    "session URLs cannot be guessed, and do not come again",
    "an offer in the wrong direction is refused",
    "a malformed offer is refused",
    "a section without a known codec is refused, not left out",
    "trickled candidates are answered 204, without body and ETag",
    # Its setting strictETags is off, as shipped.
    "If-Match compares strongly",
    "PATCH with another ETag is answered 412",
    "PATCH without If-Match is answered 428",
    "a malformed fragment is refused",
}
MEETECHO_EGRESS = {"a counter-offer (406) is sendonly, and answers that are none refused"}


async def breaches(at: Callable[[int], Endpoint]) -> set[str]:
    """The names of the cases that always fail; `at` gives the endpoint for the case of a number."""
    failed = set()
    for number, case in enumerate(CASES):
        if at(number).kind in case.kinds:
            result = await judge(case, at(number))
            print(result.line())
            if result.verdict is Verdict.FAIL:
                failed.add(case.name)
    return failed - NOW_AND_THEN


async def test_what_pion_breaches_when_it_is_published_to(tmp_path: Path):
    async with pion(tmp_path), aiohttp.ClientSession() as http:
        there = Endpoint("whip", whip("{name}"), http)
        found = await breaches(lambda _: there)
    assert found == PION | PION_INGEST


async def test_what_pion_breaches_when_it_is_watched(tmp_path: Path):
    async with pion(tmp_path), aiohttp.ClientSession() as http:
        source = Endpoint("whip", whip("{name}"), http)
        async with live(source, Endpoint("whep", whep("{name}"), http)) as there:
            assert there is not None
            # The publisher is connected; its first packet makes the stream.
            async with receiving(there.url()):
                pass
            found = await breaches(lambda _: there)
    assert found == PION | PION_EGRESS


async def test_what_the_whip_server_of_meetecho_breaches(tmp_path: Path):
    # An endpoint for each case: after a malformed offer (500) one is never free again.
    names = [f"case-{number}" for number in range(len(CASES))]
    async with janus(tmp_path), whip_server(tmp_path, names), aiohttp.ClientSession() as http:
        found = await breaches(
            lambda number: Endpoint("whip", endpoint(names[number]), http, TOKEN)
        )
    assert found == MEETECHO | MEETECHO_INGEST


async def test_what_the_whep_server_of_meetecho_breaches(tmp_path: Path):
    async with (
        janus(tmp_path) as room,
        whip_server(tmp_path, ["camera"]),
        whep_server(tmp_path) as offer,
        publishing(endpoint("camera"), FilmCamera(), token=TOKEN),
        aiohttp.ClientSession() as http,
    ):
        there = Endpoint("whep", await offer("camera", await room.publisher("camera")), http)
        found = await breaches(lambda _: there)
    assert found == MEETECHO | MEETECHO_EGRESS

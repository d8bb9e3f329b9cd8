"""The suite finds what is wrong, and takes what is optional for optional."""

from pathlib import Path

import pytest

from tests.conformance.__main__ import main
from tests.conformance.case import Verdict, judge, summary
from tests.conformance.cases import CASES
from tests.conformance.endpoint import Endpoint
from tests.conformance.odd_servers import Careless, CounterOffering, at
from tests.gateway.loopback import running


async def all_are(verdict: Verdict, endpoint: Endpoint, *names: str) -> None:
    """The cases of these names, which are for this kind of endpoint, are judged so."""
    chosen = [case for case in CASES if endpoint.kind in case.kinds and case.name in names]
    assert len(chosen) == len(names), names
    found = {case.name: (await judge(case, endpoint)).verdict for case in chosen}
    assert set(found.values()) == {verdict}, found


async def test_a_server_that_makes_counter_offers_shows_its_picture():
    async with at(CounterOffering(), "whep") as endpoint:
        await all_are(
            Verdict.PASS,
            endpoint,
            "a client that watches gets a picture",
            "two clients watch at the same time",
            "a counter-offer (406) is sendonly, and answers that are none refused",
            "DELETE ends ICE and DTLS too",
        )


async def test_what_only_an_answer_has_is_not_asked_of_counter_offers():
    async with at(CounterOffering(), "whep") as endpoint:
        await all_are(
            Verdict.NOT_SUPPORTED,
            endpoint,
            "an offer is answered 201 with application/sdp",
            "audio and video share one transport",
            "trickled candidates are answered 204, without body and ETag",
        )


async def test_a_careless_server_fails():
    async with at(Careless(), "whip") as endpoint:
        await all_are(
            Verdict.FAIL,
            endpoint,
            "OPTIONS is answered 200 or 204",
            "a malformed offer is refused",
            "an offer of another content type is refused",
            "all of the server's candidates are in its description",
            "lines of the server's description end with CRLF",
            "DELETE ends the session, whatever If-Match says",
            "session URLs cannot be guessed, and do not come again",
        )


async def test_a_server_without_patch_lacks_something_optional():
    async with at(Careless(), "whip") as endpoint:
        (restart,) = (case for case in CASES if case.name.startswith("an ICE restart is answered"))
        result = await judge(restart, endpoint)
        assert result.verdict is Verdict.NOT_SUPPORTED
        assert "405" in result.detail
        assert "0 of the failures" in summary([result])


async def test_the_command_tells_each_case_and_fails_where_a_must_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    chosen = ["--case", "OPTIONS is answered"]
    async with running(tmp_path) as gateway:
        base = str(gateway.server.make_url("/"))
        urls = ["--whip", base + "whip/{name}", "--whep", base + "whep/{name}"]
        assert await main([*urls, *chosen]) == 0
        output = capsys.readouterr().out
        assert output.count("PASS") == 2
        assert "0 of the failures break a MUST" in output
    async with at(Careless(), "whip") as endpoint:
        assert await main(["--whip", endpoint.url(), *chosen]) == 1
        assert capsys.readouterr().out.startswith("FAIL")


def test_no_two_cases_have_one_name():
    assert len({case.name for case in CASES}) == len(CASES)

"""HTTP to servers that are not ours, and what they say."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from gateway.relays.backoff import Backoff, Patience
from gateway.relays.calls import CallFailed, Calls, is_same_place, joined, retry_after
from gateway.relays.ice_links import links, named_servers
from gateway.relays.outbound import Outbound, Refused

OUTBOUND = Outbound(["127.0.0.1"])


@contextlib.asynccontextmanager
async def answering(*answers: web.Response) -> AsyncIterator[tuple[Calls, URL, list[web.Request]]]:
    """A server with these answers, one after the other."""
    script = iter(answers)
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        asked.append(request)
        return next(script)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        url = server.make_url("/whip")
        async with Calls(OUTBOUND, url, "secret") as calls:
            yield calls, url, asked


async def test_an_offer_is_posted_with_its_type_and_the_token():
    async with answering(web.Response(status=201, text="v=0")) as (calls, url, asked):
        reply = await calls.request("POST", url, "offer")
        assert (reply.status, reply.text) == (201, "v=0")
        assert await asked[0].text() == "offer"
        assert asked[0].headers["Content-Type"] == "application/sdp"
        assert asked[0].headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_keeps_method_and_body(status: int):
    moved = web.Response(status=status, headers={"Location": "/elsewhere?a=b"})
    async with answering(moved, web.Response(status=201)) as (calls, url, asked):
        reply = await calls.request("POST", url, "offer")
        assert reply.url == url.join(URL("/elsewhere?a=b"))
        assert [request.method for request in asked] == ["POST", "POST"]
        assert await asked[1].text() == "offer"
        # The same server.
        assert asked[1].headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_other_redirects_are_not_followed(status: int):
    moved = web.Response(status=status, headers={"Location": "/elsewhere"})
    async with answering(moved) as (calls, url, _):
        refusal = (await calls.request("POST", url, "offer")).refusal("it")
        assert refusal.final
        assert "RFC 9725" in str(refusal)


async def test_redirects_in_circles_end():
    circle = (web.Response(status=307, headers={"Location": "/whip"}) for _ in itertools.count())
    async with answering(*itertools.islice(circle, 9)) as (calls, url, asked):
        with pytest.raises(CallFailed, match="redirects more than"):
            await calls.request("POST", url, "offer")
        assert len(asked) == 4


@pytest.mark.parametrize(
    "location", ["http://10.0.0.5/", "http://localhost/", "ftp://127.0.0.1/", "http://u@127.0.0.1/"]
)
async def test_a_redirect_goes_only_where_a_url_may_go(location: str):
    moved = web.Response(status=307, headers={"Location": location})
    async with answering(moved) as (calls, url, _):
        with pytest.raises(Refused):
            await calls.request("POST", url, "offer")


async def test_a_redirect_without_a_place_is_the_servers_fault():
    async with answering(web.Response(status=307)) as (calls, url, _):
        with pytest.raises(CallFailed, match="Location"):
            await calls.request("POST", url)


@pytest.mark.parametrize("location", ["foo:bar", "data:,x", "mailto:a@b.example"])
async def test_a_redirect_to_no_server_at_all_is_the_servers_fault(location: str):
    moved = web.Response(status=307, headers={"Location": location})
    async with answering(moved) as (calls, url, _):
        with pytest.raises(CallFailed, match="Location"):
            await calls.request("POST", url, "offer")


@pytest.mark.parametrize("text", ["[" * 60_000, '{"detail": ' + "[" * 500 + "]" * 500 + "}"])
async def test_an_explanation_that_is_none_is_left_out(text: str):
    odd = web.Response(status=400, text=text, content_type="application/json")
    async with answering(odd) as (calls, url, _):
        assert str((await calls.request("POST", url)).refusal("it")) == "it answers 400"


async def test_an_endless_answer_is_cut_off():
    async with answering(web.Response(body=b"x" * 70_000)) as (calls, url, _):
        with pytest.raises(CallFailed, match="more than"):
            await calls.request("POST", url)


async def test_a_server_that_is_not_there_can_be_tried_again():
    async with answering() as (calls, url, _):
        with pytest.raises(CallFailed, match="cannot be reached: Connection refused") as caught:
            await calls.request("POST", url.with_port(1))
        assert not caught.value.final


async def test_a_server_that_speaks_no_tls_is_told_as_such():
    async with answering() as (calls, url, _):
        with pytest.raises(CallFailed, match="TLS with"):
            await calls.request("POST", url.with_scheme("https"))


@pytest.mark.parametrize(
    ("status", "final"),
    [(400, True), (401, True), (403, True), (422, True), (404, False), (409, False), (503, False)],
)
async def test_only_what_does_not_pass_by_itself_is_final(status: int, final: bool):
    async with answering(web.Response(status=status)) as (calls, url, _):
        assert (await calls.request("POST", url)).refusal("it").final is final


async def test_what_a_server_says_of_its_refusal_is_passed_on_as_one_line():
    problem = web.json_response(
        {"detail": "Nobody\n publishes\x1b[31m this."},
        status=409,
        headers={"Retry-After": "7"},
        content_type="application/problem+json",
    )
    page = web.Response(status=503, text="<h1>Down</h1>", content_type="text/html")
    async with answering(problem, page) as (calls, url, _):
        refusal = (await calls.request("POST", url)).refusal("it")
        assert str(refusal) == "it answers 409: Nobody publishes[31m this."
        assert refusal.wait == 7
        assert str((await calls.request("POST", url)).refusal("it")) == "it answers 503"


NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0),
        ("5", 5),
        (" 5 ", 5),
        ("0", 0),
        ("99999999999999999999", 300),
        ("Wed, 25 Nov 2026 12:00:20 GMT", 20),
        ("Wednesday, 25-Nov-26 12:00:20 GMT", 20),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0),
        ("Wed, 25 Nov 2036 12:00:00 GMT", 300),
        ("-5", 0),
        ("soon", 0),
        ("Wed, 25 Nov 99999999999 12:00:00 GMT", 0),
        ("Wed, 25 Nov 2026 12:00:00 +99999999999999999999", 0),
        ("\u0665", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float):
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://sfu.example.org/other", True),
        ("https://sfu.example.org:443/", True),
        ("https://sfu.example.org:8443/", False),
        ("https://other.example.org/", False),
        ("http://sfu.example.org/", False),
        ("https://sfu.example.org.evil.example/", False),
    ],
)
def test_a_token_stays_where_it_belongs(url: str, same: bool):
    assert is_same_place(URL(url), URL("https://sfu.example.org/whip")) is same


def test_a_token_goes_along_to_the_same_server_over_tls():
    assert is_same_place(URL("https://sfu.example.org/"), URL("http://sfu.example.org/"))


@pytest.mark.parametrize(
    "location", ["", "http://[", "http://a:99999/", "http:", "mailto:a@b.example"]
)
def test_a_location_that_is_none_is_the_servers_fault(location: str):
    with pytest.raises(CallFailed, match="Location"):
        joined(URL("https://sfu.example.org/whip"), location)


def test_links_are_read_with_quotes_commas_and_several_in_a_header():
    header = (
        '<turn:t.example.org?transport=udp>; rel="ice-server"; username="a,b;c";'
        ' credential="d\\"e"; credential-type="password", <stun:s.example.org>;rel=ice-server'
    )
    assert links([header, "</x>; rel=next"]) == [
        (
            "turn:t.example.org?transport=udp",
            {
                "rel": "ice-server",
                "username": "a,b;c",
                "credential": 'd"e',
                "credential-type": "password",
            },
        ),
        ("stun:s.example.org", {"rel": "ice-server"}),
        ("/x", {"rel": "next"}),
    ]


async def test_ice_servers_are_asked_at_the_address_that_was_checked():
    async def look_up(host: str, port: int) -> list[str]:
        return {"t.example.org": ["93.184.216.34"], "in.example.org": ["10.0.0.1"]}[host]

    outbound = Outbound(["sfu.example.org"], (), look_up)
    headers = [
        '<turn:t.example.org?transport=tcp>; rel="ice-server"; username="u"; credential="p"',
        '<turns:t.example.org:443?transport=tcp>; rel="ice-server"; username="u"; credential="p"',
        '<stun:in.example.org>; rel="ice-server"',
        '<stun:127.0.0.1>; rel="ice-server"',
        '<http://t.example.org>; rel="ice-server"',
        '<stun:t.example.org>; rel="something-else"',
    ]
    servers = await named_servers(headers, outbound)
    assert [server.urls for server in servers] == [
        "turn:93.184.216.34:3478?transport=tcp",
        "turns:t.example.org:443?transport=tcp",
    ]
    assert {(server.username, server.credential) for server in servers} == {("u", "p")}


async def test_an_ice_server_on_another_port_of_a_listed_address_is_not_asked():
    headers = [
        '<turn:10.0.0.5:22?transport=tcp>; rel="ice-server"; username="u"; credential="p"',
        '<turn:10.0.0.5:8443?transport=tcp>; rel="ice-server"; username="u"; credential="p"',
    ]
    servers = await named_servers(headers, Outbound(["10.0.0.5:8443"]))
    assert [server.urls for server in servers] == ["turn:10.0.0.5:8443?transport=tcp"]


async def test_an_ice_server_on_a_port_that_is_none_is_not_asked():
    headers = [f'<stun:10.0.0.5:{port}>; rel="ice-server"' for port in (0, 65536, 99999)]
    assert await named_servers(headers, Outbound(["10.0.0.5"])) == []


def at_most(low: float, high: float) -> float:
    return high


def at_least(low: float, high: float) -> float:
    return low


@pytest.mark.parametrize(
    ("luck", "waits"), [(at_least, [0.5, 1, 2, 4, 4, 4]), (at_most, [1, 2, 4, 8, 8, 8])]
)
def test_waits_double_up_to_a_bound_and_are_spread_over_a_half(
    luck: Callable[[float, float], float], waits: list[float]
):
    backoff = Backoff(Patience(first=1, longest=8), luck)
    assert [backoff.next() for _ in range(6)] == waits
    backoff.reset()
    assert backoff.next() == waits[0]


def test_nobody_returns_sooner_than_asked_and_not_all_at_once():
    assert Backoff(Patience(first=1), at_least).next(20) == 20
    assert Backoff(Patience(first=8), at_most).next(20) == 24

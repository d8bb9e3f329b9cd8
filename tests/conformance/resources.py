"""The endpoint and the session as HTTP resources: sections 4.1, 4.2 and 4.7 of RFC 9725."""

from __future__ import annotations

import secrets

from tests.conformance.case import (
    BOTH,
    MAY,
    MUST,
    SHOULD,
    WHEP,
    Cases,
    Failed,
    NotSupported,
    expect,
)
from tests.conformance.endpoint import FRAGMENT, SDP, Endpoint, Reply

UNKNOWN = "00000000-0000-4000-8000-000000000000"

CASES = Cases()
case = CASES.enter


# The endpoint


@case(BOTH, MUST, "4.2", "OPTIONS is answered 200 or 204")
async def options(endpoint: Endpoint) -> None:
    reply = await endpoint.call("OPTIONS", endpoint.url())
    expect(reply.status in (200, 204), f"it is answered {reply.status}")


@case(BOTH, SHOULD, "4.2", "OPTIONS names application/sdp in Accept-Post")
async def accept_post(endpoint: Endpoint) -> None:
    reply = await endpoint.call("OPTIONS", endpoint.url())
    expect(SDP in reply.headers.get("Accept-Post", ""), "there is no such header")


@case(BOTH, SHOULD, "4.1", "GET on the endpoint is answered 2xx without content")
async def look(endpoint: Endpoint) -> None:
    nothing(await endpoint.call("GET", endpoint.url()))


@case(BOTH, SHOULD, "4.1", "GET on the session is answered 2xx without content")
async def look_at_session(endpoint: Endpoint) -> None:
    async with endpoint.opened() as session:
        nothing(await endpoint.call("GET", session.url))


@case(BOTH, SHOULD, "RFC 9110 9.3.2", "HEAD is answered 2xx, on the endpoint and on the session")
async def head(endpoint: Endpoint) -> None:
    async with endpoint.opened() as session:
        nothing(await endpoint.call("HEAD", endpoint.url()))
        nothing(await endpoint.call("HEAD", session.url))


@case(WHEP, SHOULD, "WHEP 4.1", "HEAD tells that this is a WHEP endpoint")
async def discovery(endpoint: Endpoint) -> None:
    reply = await endpoint.call("HEAD", endpoint.url())
    if reply.status == 405:
        raise NotSupported("405, as before draft 04")
    expect(reply.status == 200, f"it is answered {reply.status}")
    expect(reply.type == SDP, f"its type is {reply.type!r}")


@case(WHEP, MUST, "WHEP 4.2", "a stream that is not live is answered 409 with Retry-After")
async def not_live(endpoint: Endpoint) -> None:
    if "{name}" not in endpoint.template:
        raise NotSupported("only for a URL with {name}")
    url = endpoint.url(f"conformance-{secrets.token_hex(4)}")
    reply = await endpoint.post(endpoint.description().text(), url=url)
    await endpoint.end(reply)
    if reply.status in (201, 404, 406):
        raise NotSupported(f"it is answered {reply.status}")
    expect(reply.status == 409, f"it is answered {reply.status}")
    expect(reply.headers.get("Retry-After", "").isdigit(), "there is no Retry-After in seconds")


@case(BOTH, MAY, "4.1", "errors are told as problem+json (RFC 9457)")
async def problem(endpoint: Endpoint) -> None:
    reply = await endpoint.refused("hello", what="a body that is no SDP")
    if reply.type != "application/problem+json":
        raise NotSupported(f"they are {reply.type or 'without a type'}")


# Pages of other origins (CORS)


@case(BOTH, MUST, "4.2", "a preflight is granted, for all methods and headers of a page")
async def preflight(endpoint: Endpoint) -> None:
    reply = await preflighted(endpoint, endpoint.url(), "POST")
    granted = listed(reply, "Access-Control-Allow-Headers")
    for name in ("authorization", "content-type"):
        # `*` does not cover Authorization (Fetch standard).
        expect(name in granted or ("*" in granted and name[0] == "c"), f"{name} is not allowed")
    async with endpoint.opened() as session:
        for method in ("PATCH", "DELETE"):
            reply = await preflighted(endpoint, session.url, method)
            methods = listed(reply, "Access-Control-Allow-Methods")
            expect(methods & {method.lower(), "*"}, f"{method} is not allowed")


@case(BOTH, MUST, "4.2", "a page may read Location", "Location")
@case(BOTH, SHOULD, "4.3.1", "a page may read ETag", "ETag")
@case(BOTH, SHOULD, "4.6", "a page may read Link", "Link")
async def exposed(endpoint: Endpoint, name: str) -> None:
    reply = await endpoint.post(endpoint.description().text(), Origin=endpoint.origin)
    await endpoint.end(reply)
    granted_to(endpoint, reply)
    readable = listed(reply, "Access-Control-Expose-Headers")
    if name not in reply.headers:
        raise NotSupported(f"there is no {name}")
    expect(readable & {name.lower(), "*"}, "it may not")


@case(BOTH, MUST, "4.6", "a preflight tells no TURN credentials")
async def no_secrets(endpoint: Endpoint) -> None:
    reply = await preflight_reply(endpoint, endpoint.url(), "POST")
    expect("credential" not in " ".join(reply.headers.getall("Link", [])), "it has credentials")


# Tokens


@case(BOTH, MUST, "4.7", "without a token, or with a wrong one, an offer is refused")
async def token_for_post(endpoint: Endpoint) -> None:
    needs_token(endpoint)
    for given in (None, "this-is-not-the-token", f"{endpoint.token}x"):
        reply = await endpoint.call(
            "POST", endpoint.url(), endpoint.description().text(), token=given, Content_Type=SDP
        )
        await endpoint.end(reply)
        expect(reply.status in (401, 403), f"it is answered {reply.status}")
        if reply.status == 401:
            challenge = reply.headers.get("WWW-Authenticate", "")
            expect(challenge.startswith("Bearer"), "the 401 has no WWW-Authenticate: Bearer")


@case(BOTH, MUST, "4.7", "without a token a session can be neither changed nor ended")
async def token_for_session(endpoint: Endpoint) -> None:
    needs_token(endpoint)
    async with endpoint.session() as session:
        tag = session.reply.headers.get("ETag", "*")
        fragment = session.offer.fragment()
        for method in ("DELETE", "PATCH"):
            reply = await endpoint.call(
                method, session.url, fragment, token=None, Content_Type=FRAGMENT, If_Match=tag
            )
            expect(reply.status in (401, 403, 405), f"{method} is answered {reply.status}")
        reply = await endpoint.call("DELETE", session.url)
        expect(reply.status in (200, 204), f"the session is gone: {reply.status}")


@case(BOTH, MUST, "RFC 9110 11.1", "the word Bearer is read without regard to case")
async def scheme(endpoint: Endpoint) -> None:
    needs_token(endpoint)
    text = endpoint.description().text()
    reply = await endpoint.post(text, Authorization=f"bearer {endpoint.token}")
    await endpoint.end(reply)
    expect(reply.status in (201, 406), f"it is answered {reply.status}")


@case(BOTH, MUST, "4.7", "a preflight needs no token")
async def preflight_without_token(endpoint: Endpoint) -> None:
    needs_token(endpoint)
    reply = await preflight_reply(endpoint, endpoint.url(), "POST")
    expect(reply.status in (200, 204), f"it is answered {reply.status}")


# The end of a session


@case(BOTH, MUST, "4.2", "DELETE ends the session, whatever If-Match says")
async def end(endpoint: Endpoint) -> None:
    async with endpoint.opened() as session:
        reply = await endpoint.call("DELETE", session.url, If_Match='"something-else"')
        expect(reply.status in (200, 204), f"it is answered {reply.status}")
        again = await endpoint.call("DELETE", session.url)
        expect(again.refused, f"once more it is answered {again.status}")


@case(BOTH, SHOULD, "4.2", "what DELETE frees can be taken again at once")
async def again(endpoint: Endpoint) -> None:
    url = endpoint.url()
    for _ in range(2):
        async with endpoint.opened(url=url):
            pass


@case(BOTH, MUST, "RFC 9110 15.5.5", "a session that does not exist cannot be ended")
async def unknown(endpoint: Endpoint) -> None:
    async with endpoint.opened() as session:
        url = session.url.rpartition("/")[0] + "/" + UNKNOWN
        reply = await endpoint.call("DELETE", url)
        expect(reply.refused, f"DELETE is answered {reply.status}")


def nothing(reply: Reply) -> None:
    """A 2xx without content; 405 is what drafts before RFC 9725 wanted."""
    if reply.status == 405:
        raise NotSupported("405, as drafts before RFC 9725 had it")
    expect(200 <= reply.status < 300, f"it is answered {reply.status}")
    expect(not reply.text, "there is content")


def listed(reply: Reply, header: str) -> set[str]:
    """The words of a list, in small letters."""
    return {word.strip().lower() for word in reply.headers.get(header, "").split(",")}


def needs_token(endpoint: Endpoint) -> None:
    """Raises `NotSupported` unless a token was given."""
    if endpoint.token is None:
        raise NotSupported("only with --token")


def granted_to(endpoint: Endpoint, reply: Reply) -> None:
    """Raises `NotSupported` where pages of our origin may not call."""
    if reply.headers.get("Access-Control-Allow-Origin") not in ("*", endpoint.origin):
        raise NotSupported(f"pages of {endpoint.origin} may not call; try another --origin")


async def preflight_reply(endpoint: Endpoint, url: str, method: str, **headers: str) -> Reply:
    """What a browser asks before a page's call."""
    return await endpoint.call(
        "OPTIONS",
        url,
        token=None,
        Origin=endpoint.origin,
        Access_Control_Request_Method=method,
        **headers,
    )


async def preflighted(endpoint: Endpoint, url: str, method: str) -> Reply:
    """The same; `Failed` where it is refused."""
    reply = await preflight_reply(
        endpoint, url, method, Access_Control_Request_Headers="authorization,content-type,if-match"
    )
    if reply.status not in (200, 204):
        raise Failed(f"a preflight for {method} is answered {reply.status}")
    granted_to(endpoint, reply)
    return reply

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.access import Access, Problem, same, stream_name
from gateway.grants import full_grants, scoped_grants
from gateway.headers import SECURITY_HEADERS
from tests.gateway.loopback import running

TOKEN = "correct-horse-battery"
GRANTS = full_grants((TOKEN,))


def request(method: str = "POST", path: str = "/whip", **headers: str):  # type: ignore[no-untyped-def]
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request(method, path, headers={"Host": "gateway.example:8080", **given})


def test_without_configured_tokens_nobody_needs_one():
    Access().require_token(request())
    assert not Access().has_token(request(Authorization="Bearer anything"))


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_a_wrong_token_is_refused(given: str):
    with pytest.raises(Problem) as caught:
        Access(GRANTS).require_token(request(Authorization=given), "publish")
    assert caught.value.status == 401
    challenge = 'Bearer realm="Cleanplate", error="invalid_token"'
    assert caught.value.headers == {"WWW-Authenticate": challenge}


def test_a_missing_token_is_asked_for_without_an_error():
    with pytest.raises(Problem) as caught:
        Access(GRANTS).require_token(request(), "publish")
    assert caught.value.status == 401
    # RFC 6750, 3.1: who sent none is told of no error.
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer realm="Cleanplate"'}


def test_a_known_token_for_something_else_is_forbidden():
    access = Access(scoped_grants("watch", (TOKEN,)))
    made = request(Authorization=f"Bearer {TOKEN}")
    access.require_token(made, "watch", stream="desk")
    access.require_token(made, "publish", "watch")
    for scopes in (("publish",), ()):
        with pytest.raises(Problem) as caught:
            access.require_token(made, *scopes)
        assert caught.value.status == 403


def test_any_of_the_tokens_opens():
    access = Access(full_grants(("another-horse-battery", TOKEN)))
    access.require_token(request(Authorization=f"bearer {TOKEN}"))
    access.require_key(request(Authorization=f"Bearer {TOKEN}"), "the-stream's-key")


def test_where_a_token_does_not_open_the_key_is_needed():
    access, key = Access(GRANTS), "the-stream's-key"
    with pytest.raises(Problem, match="key"):
        access.require_key(request(Authorization=f"Bearer {TOKEN}"), key, token_opens=False)
    access.require_key(request(Cleanplate_Key=key), key, token_opens=False)


@pytest.mark.parametrize(
    ("brought", "status", "challenge"),
    [
        ({}, 401, 'Bearer realm="Cleanplate"'),
        ({"Authorization": "Bearer nope"}, 401, 'Bearer realm="Cleanplate", error="invalid_token"'),
        (
            {"Authorization": f"Bearer {TOKEN}"},
            403,
            'Bearer realm="Cleanplate", error="insufficient_scope"',
        ),
        ({"Cleanplate-Key": "another-stream's-key"}, 403, None),
    ],
)
def test_what_a_key_or_a_token_opens_is_refused_by_what_was_brought(
    brought: dict[str, str], status: int, challenge: str | None
):
    access = Access(scoped_grants("watch", (TOKEN,)))
    with pytest.raises(Problem) as caught:
        access.require_key(request(**brought), "the-stream's-key", stream="desk")
    assert caught.value.status == status
    assert caught.value.headers.get("WWW-Authenticate") == challenge


def test_where_no_tokens_are_configured_whatever_is_no_key_is_forbidden():
    for brought in ({}, {"Authorization": "Bearer nope"}, {"Cleanplate-Key": "another"}):
        with pytest.raises(Problem) as caught:
            Access().require_key(request(**brought), "the-stream's-key")
        assert (caught.value.status, caught.value.headers) == (403, {})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://gateway.example:8080", True),
        ("https://GATEWAY.example:8080", True),
        ("http://gateway.example", False),
        ("http://evil.example", False),
        ("null", False),
        ("https://friend.example", True),
        ("http://friend.example", False),
    ],
)
def test_pages_of_other_origins_may_not_change_anything(origin: str | None, allowed: bool):
    access = Access(origins=("https://friend.example",))
    made = request(**({} if origin is None else {"Origin": origin}))
    if allowed:
        access.require_origin(made)
    else:
        with pytest.raises(Problem, match="origin"):
            access.require_origin(made)
        access.require_origin(request("GET", Origin=origin))


def test_a_star_allows_every_origin():
    Access(origins=("*",)).require_origin(request(Origin="https://anyone.example"))


def test_cors_headers_are_for_allowed_origins_only():
    access = Access(origins=("https://friend.example",))
    granted = access.cors_headers(request(Origin="https://friend.example"))
    assert granted["Access-Control-Allow-Origin"] == "https://friend.example"
    assert "Location" in granted["Access-Control-Expose-Headers"]
    assert "If-Match" in granted["Access-Control-Allow-Headers"]
    assert access.cors_headers(request(Origin="https://evil.example")) == {}
    assert access.cors_headers(request()) == {}


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "x" * 65])
def test_names_are_plain_words(name: str):
    made = make_mocked_request("GET", "/", match_info={"name": name})
    with pytest.raises(Problem):
        stream_name(made)


def test_secrets_of_any_characters_can_be_compared():
    assert same("ключ", "ключ")
    assert not same("ключ", "key")
    assert not same(b"\xff\xfe".decode("utf-8", "surrogateescape"), "key")


async def test_a_body_is_refused_as_soon_as_it_is_too_long(tmp_path: Path):
    async with running(tmp_path) as gateway:

        async def endless():  # type: ignore[no-untyped-def]
            for _ in range(100):
                yield b"x" * 4096
                await asyncio.sleep(0)

        headers = {"Content-Type": "application/sdp"}
        response = await gateway.http.post("/whip", data=endless(), headers=headers)
        assert response.status == 413


async def test_every_answer_carries_the_security_headers(tmp_path: Path):
    (tmp_path / "index.html").write_text("<p>the page")
    async with running(tmp_path) as gateway:
        for path in ("/", "/capabilities", "/nothing", "/backdrops/dark"):
            response = await gateway.http.get(path)
            for name, value in SECURITY_HEADERS.items():
                assert response.headers[name] == value, path
        policy = SECURITY_HEADERS["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


async def test_a_call_from_another_site_is_refused_before_anything_happens(tmp_path: Path):
    async with running(tmp_path) as gateway:
        response = await gateway.http.post("/whip", headers={"Origin": "https://evil.example"})
        assert response.status == 403
        assert (await response.json())["reason"] == "origin"


async def test_a_preflight_of_an_allowed_origin_is_granted(tmp_path: Path):
    async with running(tmp_path, origins=("https://friend.example",)) as gateway:
        for path in ("/whip/desk", "/streams/desk/plate", "/backdrops"):
            response = await gateway.http.options(
                path, headers={"Origin": "https://friend.example"}
            )
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == "https://friend.example"

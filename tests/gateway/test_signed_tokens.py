"""Tokens that say what they open, and until when."""

import base64
import json
import time
from typing import Any

import jwt
import pytest

from gateway.signed_tokens import ALGORITHM, SKEW, SignedTokens, TokenExpired

SECRET = "correct-horse-battery-staple-and-more"
TOKENS = SignedTokens(SECRET)


def signed(secret: str = SECRET, algorithm: str = ALGORITHM, **claims: Any) -> str:
    """As somebody else's library makes them."""
    return jwt.encode({"exp": time.time() + 600, **claims}, secret, algorithm=algorithm)


def test_a_token_opens_what_it_was_made_for():
    grant = TOKENS.read(TOKENS.make("publish", stream="desk", seconds=60, now=time.time()))
    assert grant is not None
    assert (grant.scopes, grant.stream, grant.full) == ({"publish"}, "desk", False)


def test_both_scopes_of_all_streams_are_an_operators():
    grant = TOKENS.read(TOKENS.make("publish", "watch", stream=None, seconds=60, now=time.time()))
    assert grant is not None
    assert grant.full


def test_a_token_that_has_expired_is_told_from_one_that_never_was():
    late = TOKENS.make("watch", stream=None, seconds=60, now=time.time() - 1000)
    with pytest.raises(TokenExpired):
        TOKENS.read(late)
    assert SignedTokens("another-horse-battery-staple-and-so-on").read(late) is None


def test_clocks_may_differ_a_little():
    assert TOKENS.read(signed(exp=time.time() - SKEW / 2)) is not None


def test_words_and_claims_of_others_are_ignored():
    grant = TOKENS.read(signed(scope="openid watch profile", iss="https://example.org", role=7))
    assert grant is not None
    assert (grant.scopes, grant.stream) == ({"watch"}, None)


def test_a_token_without_a_scope_of_ours_opens_nothing():
    grant = TOKENS.read(signed(scope="publisher watch-all"))
    assert grant is not None
    assert not grant.allows(("publish", "watch"), None)


def test_who_renews_a_token_is_the_same_and_others_are_not():
    def holder(**claims: Any) -> str:
        grant = TOKENS.read(signed(**claims))
        assert grant is not None
        return grant.holder

    assert holder(sub="ada", exp=time.time() + 60) == holder(sub="ada", exp=time.time() + 90)
    assert holder(stream="desk", scope="publish") == holder(stream="desk", scope="publish watch")
    different = [holder(sub="ada"), holder(sub="desk"), holder(stream="desk"), holder()]
    assert len(set(different)) == 4
    assert holder() == "", "whoever may be anybody is known by the token alone"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": time.time() + 600},
        {"aud": "https://sfu.example.org"},
        {"scope": ["publish"]},
        {"stream": None},
        {"stream": ""},
        {"stream": "a b"},
        {"sub": None},
    ],
)
def test_a_token_whose_claims_are_malformed_opens_nothing(claims: dict[str, Any]):
    assert TOKENS.read(signed(**{"scope": "publish", **claims})) is None


def part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "correct-horse-battery",
        "a.b.c",
        "é.é.é",
        b"\xff.a.b".decode("utf-8", "surrogateescape"),
        part(b"[" * 5000) + ".e30.x",
        part(json.dumps({"alg": "none"}).encode()) + "." + part(b'{"exp": 9999999999}') + ".",
        part(json.dumps({"alg": "none"}).encode()) + "." + part(b'{"exp": 9999999999}') + ".x",
    ],
)
def test_what_is_no_token_of_ours_opens_nothing(token: str):
    assert TOKENS.read(token) is None


def test_another_way_of_signing_is_not_taken():
    assert TOKENS.read(signed(SECRET * 2, "HS512")) is None
    assert SignedTokens(SECRET * 2).read(signed(SECRET * 2, "HS512", scope="publish")) is None
    assert SignedTokens(SECRET * 2).read(signed(SECRET * 2, scope="publish")) is not None

"""Who may do what: tokens, keys, origins, sizes; and how a refusal is said (RFC 9457).

Three secrets exist. The operator's Bearer tokens, where configured, are needed to publish, to watch
and to upload; some open one of these only, or one stream, and those that are signed expire. A
stream's key belongs to its publisher and opens `/streams/{name}...`: the name is shared with
watchers, the plate shows the room and must not be. The key of a kept plate shows that plate's
picture, and nothing else does.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from gateway.grants import NAME, Grant, Scope
from gateway.signed_tokens import SignedTokens, TokenExpired

KEY_HEADER: Final = "Cleanplate-Key"
KEY = re.compile(r"[A-Za-z0-9_-]{22,128}")
"""22 characters of this alphabet hold 132 bits."""
REALM: Final = "Cleanplate"
SLOWEST: Final = 30.0
"""Seconds that a request body may take to arrive."""

CORS_METHODS: Final = "OPTIONS, GET, HEAD, POST, PUT, PATCH, DELETE"
CORS_REQUEST: Final = f"Authorization, Content-Type, If-Match, {KEY_HEADER}"
CORS_RESPONSE: Final = f"Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After, {KEY_HEADER}"


class Problem(Exception):
    """A refusal, answered as `application/problem+json`."""

    def __init__(
        self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        """For programs: a word that does not change."""
        self.detail = detail
        """For people: whose fault it is and what to do."""
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """As HTTP."""
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "reason": self.reason,
            "detail": self.detail,
        }
        return web.Response(
            status=self.status,
            # As bytes, since the type has no charset (RFC 8259, 11).
            body=json.dumps(body).encode(),
            content_type="application/problem+json",
            headers=self.headers,
        )


def same(given: str, expected: str) -> bool:
    """Compare secrets in constant time."""
    # Headers hold whatever bytes the client sent, as surrogates where they are no UTF-8.
    return hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape")
    )


class Access:
    """The operator's rules."""

    def __init__(
        self,
        grants: tuple[Grant, ...] = (),
        origins: tuple[str, ...] = (),
        signed: SignedTokens | None = None,
    ) -> None:
        self._grants = grants
        self._signed = signed
        self._origins = frozenset(origin.lower() for origin in origins)

    @property
    def needs_token(self) -> bool:
        """Whether the operator configured any."""
        return bool(self._grants) or self._signed is not None

    def has_token(self, request: web.Request, *scopes: Scope, stream: str | None = None) -> bool:
        """Whether the request carries a token for one of the scopes, of `stream` or of any.

        Without scopes: one of the operator's own, which open everything. Raises 401 for one that
        has expired.
        """
        given = self._given(request)
        if not scopes:
            return any(grant.full for grant in given)
        return any(grant.allows(scopes, stream) for grant in given)

    def identity(self, request: web.Request) -> str | None:
        """What tells that a caller without a key is the one who was here before: the token, or the
        lack of one where nobody needs any. No secret itself; `None` for an unknown token."""
        if not self.needs_token:
            return ""
        given = self._given(request)
        if not given:
            return None
        return hashlib.sha256((given[0].holder or given[0].token).encode()).hexdigest()

    def require_token(
        self, request: web.Request, *scopes: Scope, stream: str | None = None
    ) -> None:
        """As `has_token`; raises 401 without a known token and 403 with another one (RFC 6750, 3).

        Where no tokens are configured nobody needs one.
        """
        if not self.needs_token or self.has_token(request, *scopes, stream=stream):
            return
        if self._given(request):
            raise Problem(
                403,
                "scope",
                "This token is for something else or for another stream; ask the server's "
                "operator for one.",
                challenge("insufficient_scope"),
            )
        raise _unauthorised(request, "This server needs a Bearer token; ask its operator for one.")

    def without_key(
        self, request: web.Request, detail: str, *, token_opens: bool = True
    ) -> Problem:
        """What refuses a request that brings no fitting key, and no token that opens the same.

        An unknown token is answered 401, as everywhere, and so is nothing at all where a token
        would open it; a wrong key, and a known token for something else, are answered 403.
        """
        known = bool(self._given(request))
        unknown = "Authorization" in request.headers and not known
        nothing = not known and KEY_HEADER not in request.headers
        if self.needs_token and (unknown or (nothing and token_opens)):
            return _unauthorised(request, f"{detail[:-1]}, or a Bearer token of the operator's.")
        return Problem(
            403, "key", detail, challenge("insufficient_scope") if known and token_opens else None
        )

    def require_key(
        self,
        request: web.Request,
        key: str,
        *,
        stream: str | None = None,
        token_opens: bool = True,
    ) -> None:
        """Raises 401 or 403 unless the stream's key is given, or where it opens too a token.

        A token is the operator's own, or one for publishing this very `stream`. Others hold tokens
        as well, and none opens what shows the room.
        """
        given = request.headers.get(KEY_HEADER, "")
        if not (same(given, key) or (token_opens and self._opens(request, stream))):
            raise self.without_key(
                request,
                f"This needs the stream's key in the header {KEY_HEADER}, which its publisher has.",
                token_opens=token_opens,
            )

    def _opens(self, request: web.Request, stream: str | None) -> bool:
        return any(
            grant.full
            or (stream is not None and grant.stream == stream and "publish" in grant.scopes)
            for grant in self._given(request)
        )

    def _given(self, request: web.Request) -> list[Grant]:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return []
        token = given.strip()
        # All are compared: which one it was must not show in the time.
        compared = [(same(token, grant.token), grant) for grant in self._grants]
        return [grant for equal, grant in compared if equal] or self._given_signed(token)

    def _given_signed(self, token: str) -> list[Grant]:
        if self._signed is None:
            return []
        try:
            grant = self._signed.read(token)
        except TokenExpired:
            raise Problem(
                401,
                "expired",
                "This token has expired; ask whoever gave it to you for another one.",
                challenge("invalid_token", "The token has expired"),
            ) from None
        return [] if grant is None else [grant]

    def allows_origin(self, request: web.Request) -> bool:
        """Whether a page of this origin may call us; requests of no page have no origin."""
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        # The scheme is left out: behind a proxy that ends TLS we do not know ours.
        if urlsplit(origin).netloc.lower() == request.host.lower() and origin != "null":
            return True
        return "*" in self._origins or origin.lower() in self._origins

    def require_origin(self, request: web.Request) -> None:
        """Raises 403 for calls that change something from other sites' pages."""
        if request.method not in ("GET", "HEAD", "OPTIONS") and not self.allows_origin(request):
            raise Problem(
                403,
                "origin",
                "Pages of this origin may not call this server; its operator can list the origin "
                "in the setting origins.",
            )

    def cors_headers(self, request: web.Request) -> dict[str, str]:
        """What lets a page of an allowed other origin read our answer (Fetch standard)."""
        origin = request.headers.get("Origin")
        if origin is None or not self.allows_origin(request):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": CORS_METHODS,
            "Access-Control-Allow-Headers": CORS_REQUEST,
            "Access-Control-Expose-Headers": CORS_RESPONSE,
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }


def challenge(error: str = "", description: str = "") -> dict[str, str]:
    """The header that asks for a token, and says what is wrong with one (RFC 6750, 3)."""
    said = {"realm": REALM, "error": error, "error_description": description}
    values = ", ".join(f'{name}="{value}"' for name, value in said.items() if value)
    return {"WWW-Authenticate": f"Bearer {values}"}


def _unauthorised(request: web.Request, needed: str) -> Problem:
    """401: for who brings no token `needed`, and for who brings one that is not known."""
    if "Authorization" not in request.headers:
        # RFC 6750, 3.1: who sent none is told of no error.
        return Problem(401, "token", needed, challenge())
    return Problem(
        401,
        "token",
        "This server does not know this token; ask its operator for one.",
        challenge("invalid_token"),
    )


def given_key(request: web.Request) -> str | None:
    """The key a publisher brings; raises 400 for one that can be guessed."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and not KEY.fullmatch(key):
        raise Problem(
            400, "key", f"{KEY_HEADER} takes 22 to 128 characters of A-Z, a-z, 0-9, - and _."
        )
    return key


def stream_name(request: web.Request) -> str | None:
    """The stream named in the path; raises 400 for names that are none."""
    name = request.match_info.get("name")
    if name is not None and not NAME.fullmatch(name):
        raise Problem(400, "name", "A stream's name is 1 to 64 of A-Z, a-z, 0-9, - and _.")
    return name


def require_type(request: web.Request, *types: str) -> None:
    """Raises 415 unless the body is declared as one of `types`."""
    if request.content_type not in types:
        raise Problem(415, "content-type", f"The body must be {' or '.join(types)}.")


async def read_body(request: web.Request, limit: int) -> bytes:
    """The body; raises 413 as soon as it is longer than `limit` bytes."""
    too_long = Problem(413, "too-large", f"The body is longer than {limit} bytes.")
    if (request.content_length or 0) > limit:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise too_long
    except TimeoutError:
        raise Problem(408, "slow", f"The body took longer than {SLOWEST:.0f} s.") from None
    return bytes(body)

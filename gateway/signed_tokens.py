"""Bearer tokens that say themselves what they open, and until when: JSON Web Tokens (RFC 7519).

Signed with HS256 by a secret that the gateway shares with whoever gives tokens out. Pure.
"""

from __future__ import annotations

from typing import Annotated, Final

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.grants import NAME, SCOPES, Grant, Scope

ALGORITHM: Final = "HS256"
"""The only one that is taken, whatever a token names (RFC 8725, 3.1)."""
SKEW: Final = 10
"""Seconds by which the clocks of two machines may differ."""


class TokenExpired(Exception):
    """It was good once."""


class Claims(BaseModel):
    """What a token says, besides the times that the library checks; others' claims are ignored."""

    model_config = ConfigDict(frozen=True)

    scope: str = ""
    """Words with spaces between (RFC 8693, 4.2)."""
    stream: Annotated[str, Field(pattern=f"^{NAME.pattern}$")] = ""
    """Left out for all streams; empty or null it makes the token worthless."""
    sub: str = ""
    """Who it was given to, if whoever gave it out says that."""


class SignedTokens:
    """Reads and makes them."""

    def __init__(self, secret: str) -> None:
        """`secret` has 32 bytes or more (RFC 7518, 3.2)."""
        self._secret = secret

    def read(self, token: str) -> Grant | None:
        """What a token opens, `None` for one that is not ours; raises `TokenExpired`."""
        try:
            claims = Claims.model_validate(
                jwt.decode(
                    token,
                    self._secret,
                    algorithms=[ALGORITHM],
                    options={"require": ["exp"]},
                    leeway=SKEW,
                )
            )
        except jwt.ExpiredSignatureError as error:
            # Told after the signature was found good.
            raise TokenExpired from error
        except (jwt.InvalidTokenError, ValidationError, UnicodeError, RecursionError):
            # The last two for what is no token at all, before the library looks closer.
            return None
        scopes = frozenset(word for word in SCOPES if word in claims.scope.split(" "))
        # Whoever renews their token is the same publisher; who may be anybody is nobody's return.
        holder = f"sub {claims.sub}" if claims.sub else claims.stream and f"stream {claims.stream}"
        return Grant(token, scopes, claims.stream or None, holder)

    def make(self, *scopes: Scope, stream: str | None, seconds: float, now: float) -> str:
        """A token for these scopes of one stream, or of all, for so long from `now` on.

        `now` is in seconds since 1970.
        """
        claims = {"scope": " ".join(scopes)} | ({"stream": stream} if stream else {})
        times = {"iat": int(now), "exp": int(now) + int(seconds)}
        return jwt.encode({**claims, **times}, self._secret, algorithm=ALGORITHM)

"""What Bearer tokens open: publishing, watching or both, of all streams or of one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Scope = Literal["publish", "watch"]

SCOPES: Final[tuple[Scope, ...]] = ("publish", "watch")

SHORTEST: Final = 16
"""Characters of a token."""
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A stream's name."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One token and what it opens."""

    token: str
    scopes: frozenset[Scope]
    stream: str | None = None
    """The only stream it is for, `None` for all."""
    holder: str = ""
    """Who brings it, where that is known better than by the token: those are one publisher."""

    @property
    def full(self) -> bool:
        """Whether it is the operator's own, which opens everything."""
        return self.stream is None and len(self.scopes) == len(SCOPES)

    def allows(self, scopes: Iterable[Scope], stream: str | None) -> bool:
        """Whether it allows one of the scopes, of `stream` or, without one, of any stream."""
        return not self.scopes.isdisjoint(scopes) and (
            stream is None or self.stream in (None, stream)
        )


def full_grants(tokens: Iterable[str]) -> tuple[Grant, ...]:
    """Of the setting `tokens`; raises `ValueError` for a token that is too short."""
    return tuple(Grant(long_enough(token), frozenset(SCOPES)) for token in tokens)


def scoped_grants(scope: Scope, entries: Iterable[str]) -> tuple[Grant, ...]:
    """Of entries `TOKEN` or `TOKEN@STREAM`; raises `ValueError` for what is neither."""
    grants = []
    for entry in entries:
        # What RFC 6750 lets a token consist of has no @.
        token, separator, stream = entry.partition("@")
        if separator and not NAME.fullmatch(stream):
            raise ValueError(f"after @ comes a stream's name, not {stream!r}")
        grants.append(Grant(long_enough(token), frozenset((scope,)), stream or None))
    return tuple(grants)


def long_enough(token: str) -> str:
    """The token; raises `ValueError` for one that can be guessed."""
    if len(token) < SHORTEST:
        raise ValueError(f"a token needs at least {SHORTEST} characters")
    return token

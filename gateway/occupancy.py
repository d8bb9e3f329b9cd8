"""How many sessions each client has, so that no one takes them all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from gateway.access import Problem
from gateway.rates import client_of
from gateway.session import Session
from gateway.signalling import RETRY


class Occupancy:
    """At most `most` sessions from one address at a time, 0 for any number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sessions: dict[str, list[Session | None]] = {}
        """`None` for one that is being opened."""

    @contextlib.contextmanager
    def opening(self, address: str | None) -> Iterator[Callable[[Session], None]]:
        """Take a place, which is given back unless a session is put into it; raises 503."""
        if address is None or not self._most:
            yield lambda session: None
            return
        self._forget_finished()
        client = client_of(address)
        mine = self._sessions.setdefault(client, [])
        if len(mine) >= self._most:
            raise Problem(
                503, "full", f"Your address has {self._most} sessions already; end one.", RETRY
            )
        mine.append(None)
        try:
            yield mine.append
        finally:
            # Whatever became of it: a session that was opened has been added.
            mine.remove(None)

    def _forget_finished(self) -> None:
        for client, sessions in list(self._sessions.items()):
            sessions[:] = [
                session for session in sessions if session is None or not session.finished.is_set()
            ]
            if not sessions:
                del self._sessions[client]

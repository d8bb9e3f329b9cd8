"""The operator's STUN and TURN servers, with credentials that are made anew each time.

With `ice_secret`, which the TURN server shares (coturn's `use-auth-secret` and
`static-auth-secret`), credentials expire: the user name is the moment until which it holds, the
password its HMAC (draft-uberti-behave-turn-rest-00, 2.2).
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable, Iterator

from aiortc import RTCIceServer

from gateway.settings import Settings


class IceServers:
    """Iterating gives those of a connection of our own."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._now = now

    def __iter__(self) -> Iterator[RTCIceServer]:
        username, credential = self._credentials()
        for url in self._settings.ice_servers:
            yield RTCIceServer(url, username or None, credential or None)

    def links(self) -> list[str]:
        """`Link` headers for whoever opens a session (RFC 9725, 4.6)."""
        username, credential = self._credentials()
        return [
            f'<{url}>; rel="ice-server"'
            + (
                f"; username={quoted(username)}; credential={quoted(credential)}"
                '; credential-type="password"'
                if takes_credentials(url)
                else ""
            )
            for url in self._settings.ice_servers
        ]

    def described(self) -> list[dict[str, str]]:
        """As browsers take them, for `GET /capabilities`."""
        username, credential = self._credentials()
        return [
            {"urls": url, "username": username, "credential": credential}
            if takes_credentials(url)
            else {"urls": url}
            for url in self._settings.ice_servers
        ]

    def _credentials(self) -> tuple[str, str]:
        settings = self._settings
        if not settings.ice_secret:
            return settings.ice_username, settings.ice_credential
        # coturn counts its quotas per name, so each one is another user's.
        user = settings.ice_username or secrets.token_hex(4)
        username = f"{int(self._now() + settings.ice_lifetime)}:{user}"
        digest = hmac.digest(settings.ice_secret.encode(), username.encode(), "sha1")
        return username, base64.b64encode(digest).decode()


def takes_credentials(url: str) -> bool:
    """STUN asks for none."""
    return url.startswith("turn")


def quoted(text: str) -> str:
    """A quoted string (RFC 9110, 5.6.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

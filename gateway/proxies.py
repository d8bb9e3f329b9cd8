"""Proxies in front of the server, and whom they speak for (`X-Forwarded-For`).

Only the address is taken from them. Nothing here builds absolute URLs: `Location` is relative, and
origins are compared by their host, which proxies pass on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

from aiohttp import web

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

HEADER = "X-Forwarded-For"


class Proxies:
    """Those that the operator trusts."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def client(self, request: web.Request) -> str | None:
        """The address that a request came from, as far as trusted proxies vouch for it.

        Each appends whom it heard, so that the list is read from its end: the first address that is
        no trusted proxy's is the client, and what stands before it the client may have invented.
        """
        client = request.remote
        heard = [part for line in request.headers.getall(HEADER, ()) for part in line.split(",")]
        while client is not None and self._trusts(client) and heard:
            before = _address(heard.pop())
            if before is None:
                # Nonsense that a trusted proxy passed on: nobody vouches for what is before it.
                break
            client = str(before)
        return client

    def _trusts(self, client: str) -> bool:
        address = _address(client)
        return address is not None and any(address in network for network in self._networks)


def _address(text: str) -> Address | None:
    """With a port or without, as proxies write them; `None` for what is no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # As a socket that listens for both versions says it.
    return getattr(address, "ipv4_mapped", None) or address

"""Which local addresses media uses, and how much each socket holds.

aioice 0.13 takes every address except 127.0.0.1 and asks for 256 KiB of receive buffer.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Final

from aioice import Candidate, Connection
from aioice.ice import get_host_addresses

from gateway.transport import hidden

RECEIVE_BUFFER: Final = 4 * 1024 * 1024
"""Bytes; one 1080p key frame is 82 to 160 packets, the default holds 227. The kernel grants what
`net.core.rmem_max` allows."""

LOOPBACK: Final = "127.0.0.1"


def local_addresses(chosen: Sequence[str], *, loopback: bool) -> list[str]:
    """The chosen addresses, else all of this machine's, with 127.0.0.1 where `loopback`."""
    if chosen:
        return list(chosen)
    found = get_host_addresses(use_ipv4=True, use_ipv6=True)
    return [LOOPBACK, *found] if loopback else found


def use_addresses(connection: Connection, addresses: Sequence[str]) -> None:
    """Gather host candidates on `addresses` instead of aioice's choice."""
    gather = hidden.method(connection, "get_component_candidates")
    ours = list(addresses)

    async def gather_ours(
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109  (aioice's signature)
    ) -> list[Candidate]:
        candidates: list[Candidate] = await gather(component, ours, timeout)
        for protocol in connection._protocols:
            udp = protocol.transport.get_extra_info("socket")
            if udp is not None:
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        return candidates

    hidden.replace(connection, "get_component_candidates", gather_ours)

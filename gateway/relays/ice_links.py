"""STUN and TURN servers that a WHIP or WHEP server names in `Link` headers (RFC 9725, 4.6)."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterable
from typing import Final

from aiortc import RTCIceServer

from gateway.relays.outbound import Outbound, Refused, Unreachable

logger = logging.getLogger(__name__)

MOST: Final = 4
"""aioice uses one STUN and one TURN server."""
_VALUE: Final = r'"((?:[^"\\]|\\.)*)"|([^",;\s]+)'
LINK: Final = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:" + _VALUE + r"))?)*)")
PARAMETER: Final = re.compile(r";\s*([\w*-]+)(?:\s*=\s*(?:" + _VALUE + r"))?")
SERVER: Final = re.compile(
    r"(stun|turns?):(?://)?([A-Za-z0-9._-]+)(?::(\d{1,5}))?(\?transport=(?:udp|tcp))?"
)


async def named_servers(headers: Iterable[str], outbound: Outbound) -> list[RTCIceServer]:
    """Those that may be asked; a name becomes the address that was checked.

    Their hosts need not be listed, as TURN servers are somewhere else, but what is refused to URLs
    is refused to them: private networks.
    """
    servers: list[RTCIceServer] = []
    for target, parameters in links(headers):
        found = SERVER.fullmatch(target)
        if parameters.get("rel") != "ice-server" or found is None or len(servers) == MOST:
            continue
        scheme, host, port, transport = found.groups()
        number = int(port or (5349 if scheme == "turns" else 3478))
        if not 0 < number < 65536:
            continue
        try:
            addresses = await outbound.addresses(host.lower(), number)
        except (Refused, Unreachable) as error:
            logger.warning("an ICE server is not used: %s", error)
            continue
        if scheme != "turns":
            # TLS needs the name, and proves it. aiortc knows no IPv6 address in these URLs.
            fours = [each for each in addresses if ipaddress.ip_address(each).version == 4]
            if not fours:
                continue
            host = fours[0]
        servers.append(
            RTCIceServer(
                f"{scheme}:{host}:{number}{transport or ''}",
                parameters.get("username"),
                parameters.get("credential"),
            )
        )
    return servers


def links(headers: Iterable[str]) -> list[tuple[str, dict[str, str]]]:
    """Targets and parameters of `Link` headers (RFC 8288, 3)."""
    found = []
    for header in headers:
        for link in LINK.finditer(header):
            parameters: dict[str, str] = {}
            for name, quoted, plain in PARAMETER.findall(link[2]):
                # The first of a name counts.
                parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or plain)
            found.append((link[1], parameters))
    return found

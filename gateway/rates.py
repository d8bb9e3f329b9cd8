"""How often clients may call: a token bucket for each of them, and one for all together."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.access import Problem

BURST: Final = 4.0
"""Seconds' worth of calls that may come at once: a page that loads, a client that trickles."""
CLIENTS: Final = 4096
"""Buckets kept; the one that was used longest ago is forgotten, when it has long been full."""


class Rates:
    """Bounds in calls per second, 0 for none."""

    def __init__(
        self, per_client: float, together: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_client = per_client
        self._together = together
        self._now = now
        self._filled: OrderedDict[str, float] = OrderedDict()
        """When each client's bucket will be full again."""
        self._all_filled = 0.0

    def take(self, address: str | None) -> None:
        """Count a call; raises 429 for a client that calls too often, 503 when all do.

        RFC 9725 (4.5) knows 503 for overload; that one client is to blame, and not we, is what
        429 says (RFC 6585, 4).
        """
        now = self._now()
        client = None if address is None or not self._per_client else client_of(address)
        mine = together = 0.0
        if client is not None:
            mine = max(self._filled.get(client, 0.0), now) + 1 / self._per_client
            check(mine - now, self._per_client, 429, "Too many calls from your address.")
        if self._together:
            together = max(self._all_filled, now) + 1 / self._together
            check(together - now, self._together, 503, "The server is called too often.")
        # Calls that are refused cost nothing: who waits as long as he is told is let in.
        self._all_filled = together
        if client is not None:
            self._filled[client] = mine
            self._filled.move_to_end(client)
            if len(self._filled) > CLIENTS:
                self._filled.popitem(last=False)


def check(debt: float, rate: float, status: int, detail: str) -> None:
    """Refuse a call that would leave a bucket further from full than it is deep, in seconds."""
    late = debt - max(BURST, 1 / rate)
    # Tenths do not add up to whole seconds.
    if late > 1e-6:
        headers = {"Retry-After": str(math.ceil(late))}
        raise Problem(status, "rate", f"{detail} Try again in a moment.", headers)


def client_of(address: str) -> str:
    """Whose address it is: in IPv6 a network of 64 bits is one customer's."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))

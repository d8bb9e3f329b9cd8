"""How this process's connections are made under the operator's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aiortc import RTCIceServer

from gateway.ice_servers import IceServers
from gateway.peer import Peer
from gateway.sdp import Reach
from gateway.settings import Settings
from gateway.stats import Arrivals
from gateway.transport.candidates import local_addresses
from gateway.transport.connection import Tuning
from gateway.transport.encoders import Downlink
from gateway.transport.encoding import Encoding


class Network:
    """Makes peers; all of them encode on the same threads."""

    def __init__(self, settings: Settings) -> None:
        self.encoding = Encoding(settings.max_sessions)
        addresses = local_addresses(settings.host_addresses, loopback=settings.on_loopback)
        self.reach = Reach(loopback=any(address.startswith("127.") for address in addresses))
        """What peers may name as their addresses."""
        self._public_address = settings.public_address
        self._tuning = Tuning(
            addresses=addresses,
            uplink=1000 * settings.uplink_start,
            downlink=Downlink.within(settings),
            largest=(settings.max_width, settings.max_height),
            encoding=self.encoding,
            ice_servers=IceServers(settings),
        )

    def peer(
        self, arrivals: Arrivals | None = None, ice_servers: Sequence[RTCIceServer] = ()
    ) -> Peer:
        """A connection that is to be opened; `arrivals` counts what comes.

        `ice_servers` are those that the other side names; the operator's come first.
        """
        servers = [*self._tuning.ice_servers, *ice_servers]
        return Peer(
            replace(self._tuning, ice_servers=servers),
            arrivals,
            reach=self.reach,
            public_address=self._public_address,
        )

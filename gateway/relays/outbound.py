"""Which addresses the gateway calls, and which it refuses to.

Whoever may ask for a relay makes this machine send requests: without rules that is a way into the
network behind it. So a URL's host must be listed, every address that its name stands for must be a
public one or in a listed network, and the addresses that were checked are those that are connected
to: a name that is looked up twice may answer differently the second time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""Addresses of a host and port; raises `OSError`."""

SCHEMES: Final = {
    "https": "https",
    "http": "http",
    "whips": "https",
    "whip": "http",
    "wheps": "https",
    "whep": "http",
}
"""What URLs of relays may begin with, and what is spoken then; as MediaMTX has it."""
LONGEST: Final = 2048
NAME: Final = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?\.?")
LOOKING_UP: Final = 5.0
"""Seconds."""
TRANSLATED: Final = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
)
"""Prefixes of translators to IPv4 (RFC 6052, RFC 8215), with that address in the last bits."""
SPECIAL: Final = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
"""Special purposes (RFC 6890) that not every version of Python knows of."""
EVERYWHERE: Final[tuple[Network, ...]] = (
    ipaddress.IPv4Network("0.0.0.0/0"),
    ipaddress.IPv6Network("::/0"),
)


class Refused(Exception):
    """A URL that the gateway does not call; the message says why and who can change that."""


class Unreachable(Exception):
    """A name that nobody knows now; worth another try later."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was checked."""

    url: URL
    addresses: tuple[str, ...]
    """Where its host is, for connecting."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver; see `LookUp`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Outbound:
    """The operator's rules for URLs."""

    def __init__(
        self,
        hosts: Sequence[str],
        networks: Sequence[Network] = (),
        look_up: LookUp = look_up,
    ) -> None:
        """`hosts` as in the setting `relay_hosts`; `networks` may be reached besides the public."""
        self._hosts = frozenset(host.lower() for host in hosts)
        self._networks = tuple(networks)
        self._look_up = look_up

    @property
    def closed(self) -> bool:
        """Whether nothing may be called."""
        return not self._hosts

    def read(self, text: str) -> URL:
        """Parse a URL that somebody gave us, without looking its host up; raises `Refused`."""
        if len(text) > LONGEST or not text.isascii() or not text.isprintable() or " " in text:
            raise Refused("A URL is at most 2048 printable ASCII characters without spaces.")
        scheme, separator, rest = text.partition("://")
        if not separator or scheme.lower() not in SCHEMES:
            raise Refused(f"A URL begins with one of {', '.join(f'{name}://' for name in SCHEMES)}")
        try:
            url = URL(f"{SCHEMES[scheme.lower()]}://{rest}")
        except ValueError:
            raise Refused("This is not a URL.") from None
        return self.permitted(url)

    def permitted(self, url: URL) -> URL:
        """The same URL without its fragment if it may be called, as far as its text tells."""
        if url.scheme not in ("http", "https"):
            raise Refused("Only http and https are spoken.")
        if url.user is not None or url.password is not None:
            raise Refused("A URL must not hold a user name or password; there are tokens for that.")
        host = (url.raw_host or "").lower()
        if not _is_host(host):
            raise Refused("The host must be a name or an address in its usual form.")
        if not self._lists(host, url.port or 0):
            raise Refused(
                f"{host} is not among the hosts that the server's operator allows (relay_hosts)."
            )
        return url.with_fragment(None)

    async def resolve(self, url: URL) -> Target:
        """Look the host up and check what it stands for; raises `Refused` or `Unreachable`."""
        url = self.permitted(url)
        host = (url.raw_host or "").lower()
        return Target(url, tuple(await self.addresses(host, url.port or 0)))

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where a host is, whether or not it is listed; raises like `resolve`.

        All of its addresses must be allowed: one that answers with a public and a private address
        is up to no good.
        """
        if _address(host) is not None:
            if self._names(host, port):
                # An address that is listed itself is meant; with a port, at that one.
                return [host]
            found: Sequence[str] = [host]
        else:
            try:
                async with asyncio.timeout(LOOKING_UP):
                    found = await self._look_up(host, port)
            except (OSError, UnicodeError, TimeoutError) as error:
                raise Unreachable(f"the name {host} cannot be looked up: {error}") from error
        for text in found:
            address = _address(text)
            if address is None or not self._reaches(address):
                raise Refused(
                    f"{host} stands for {text}, an address outside the public internet; the "
                    "server's operator can allow its network (relay_networks)."
                )
        if not found:
            raise Unreachable(f"the name {host} has no address")
        return list(found)

    def _lists(self, host: str, port: int) -> bool:
        labels = host.rstrip(".").split(".")
        parents = ["." + ".".join(labels[at:]) for at in range(1, len(labels))]
        return "*" in self._hosts or self._names(host.rstrip("."), port, *parents)

    def _names(self, host: str, port: int, *parents: str) -> bool:
        plain = {host, *parents}
        ported = {f"[{each}]:{port}" if ":" in each else f"{each}:{port}" for each in plain}
        return not self._hosts.isdisjoint(plain | ported)

    def _reaches(self, address: Address) -> bool:
        inner = embedded(address)
        if inner.is_multicast or inner.is_unspecified:
            return False
        if any(inner in network for network in self._networks if network.version == inner.version):
            return True
        return is_public(inner)


def is_public(address: Address) -> bool:
    """Whether it is an ordinary address of the internet, that anybody may call."""
    inner = embedded(address)
    site_local = isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local
    if any(inner in network for network in SPECIAL if network.version == inner.version):
        return False
    return inner.is_global and not inner.is_multicast and not inner.is_reserved and not site_local


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address is another form of, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    for inner in (address.ipv4_mapped, address.sixtofour):
        if inner is not None:
            return inner
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    if ":" in host:
        # Zone ids (%) name an interface of this machine.
        return "%" not in host and _address(host) is not None
    if not NAME.fullmatch(host) or ".." in host:
        return False
    last = host.rstrip(".").rpartition(".")[2]
    # 127.1, 0177.0.0.1, 2130706433 and 0x7f000001 are all taken for addresses by some resolvers.
    if last.isdigit() or last.startswith("0x"):
        return isinstance(_address(host), ipaddress.IPv4Address)
    return True


def _place(url: URL) -> tuple[str, int]:
    return url.raw_host or "", url.port or 0


class Pinned(AbstractResolver):
    """For aiohttp: knows the hosts of checked targets only, at the addresses that were checked."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[str, ...]] = {}
        """By host and port: an address may be listed with one port alone."""

    def pin(self, target: Target) -> None:
        """From now on this host is where it was found."""
        self._known[_place(target.url)] = target.addresses

    def knows(self, url: URL) -> bool:
        """Whether this URL's host and port were pinned."""
        return _place(url) in self._known

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See `AbstractResolver`."""
        if (host, port) not in self._known:
            raise OSError(f"{host} was not checked")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._known[host, port]
        ]

    async def close(self) -> None:
        """See `AbstractResolver`."""

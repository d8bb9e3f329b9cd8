"""Session descriptions: reading offers and trickled fragments. Pure, no aiortc."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

MAX_LINE: Final = 4096
"""Characters; browsers stay below 300."""

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("sendrecv", "sendonly", "recvonly", "inactive")


class BadOffer(Exception):
    """The caller's description cannot be used; `status` is the HTTP status that says so."""

    def __init__(self, reason: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.status = reason, detail, status


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses a peer may ask us to send connectivity checks to.

    A candidate makes the gateway send packets to any address it names, which would make it a port
    scanner for its own network; addresses that no browser can be reached at are dropped. Names
    (mDNS `.local`) are dropped too: resolving them means multicast, and the browser's own checks
    reach us without.
    """

    loopback: bool = False
    """Whether peers on this machine are welcome."""

    def allows(self, address: str) -> bool:
        """Whether a candidate with this address is kept."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        # The same place, written as IPv6.
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        if parsed.is_loopback:
            return self.loopback
        # Broadcasts are among the reserved.
        return not (
            parsed.is_link_local
            or parsed.is_multicast
            or parsed.is_unspecified
            or parsed.is_reserved
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One m-section."""

    kind: str
    mid: str
    direction: Direction
    lines: tuple[str, ...]
    """From the m-line on."""

    def values(self, attribute: str) -> list[str]:
        """What follows `a=attribute:` in each of its lines."""
        prefix = f"a={attribute}:"
        return [line[len(prefix) :] for line in self.lines if line.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class Offer:
    """A checked offer."""

    head: tuple[str, ...]
    """Session-level lines."""
    sections: tuple[Section, ...]

    def section(self, kind: str) -> Section | None:
        """At most one per kind."""
        return next((section for section in self.sections if section.kind == kind), None)

    @property
    def has_data_channel(self) -> bool:
        """Our page's sign that it wants the composite back on the same connection."""
        return self.section("application") is not None

    @property
    def fragment_name(self) -> str:
        """The ICE user fragment; a trickled fragment with another one asks for a restart."""
        return next(iter(_attribute(self, "ice-ufrag")))

    def text(self) -> str:
        """The offer as it is handed to aiortc."""
        lines = [*self.head, *(line for section in self.sections for line in section.lines)]
        return "\r\n".join(lines) + "\r\n"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A trickled part of a description (RFC 8840)."""

    ufrag: str | None
    mid: str
    candidates: tuple[str, ...]
    """Usable ones, without `candidate:`."""
    seen: int
    """How many were in the fragment, usable or not."""


def _attribute(offer: Offer, name: str) -> list[str]:
    prefix = f"a={name}:"
    session = [line[len(prefix) :] for line in offer.head if line.startswith(prefix)]
    return [value for section in offer.sections for value in section.values(name)] or session


def _split(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    for line in lines:
        if len(line) > MAX_LINE:
            raise BadOffer("malformed-sdp", f"A line is longer than {MAX_LINE} characters.")
        if not (line.isascii() and line.isprintable()):
            raise BadOffer("malformed-sdp", "A line holds something other than printable ASCII.")
    return lines


def candidate_address(value: str) -> tuple[str, int] | None:
    """Address and port of a UDP candidate of component 1, `None` for all others (RFC 8839)."""
    parts = value.split()
    if len(parts) < 8 or parts[1] != "1" or parts[2].lower() != "udp" or parts[6] != "typ":
        return None
    if not (parts[5].isdigit() and 0 < int(parts[5]) < 65536 and parts[3].isdigit()):
        return None
    return parts[4], int(parts[5])


def _kept(values: Iterable[str], reach: Reach) -> list[str]:
    return [
        value
        for value in values
        if (address := candidate_address(value)) is not None and reach.allows(address[0])
    ]


def _section(lines: Sequence[str]) -> Section:
    words = lines[0][2:].split()
    if len(words) < 4 or not words[1].isdigit():
        raise BadOffer("malformed-sdp", f"Not a media line: {lines[0][:80]!r}.")
    mids = [line[6:] for line in lines if line.startswith("a=mid:")]
    if len(mids) != 1 or not mids[0]:
        raise BadOffer("malformed-sdp", "Every media section needs exactly one a=mid line.")
    direction: Direction = "sendrecv"
    for word in DIRECTIONS:
        if f"a={word}" in lines:
            direction = word
    if not int(words[1]) and "a=bundle-only" not in lines:
        # Offered, but not to be used (RFC 3264, 5.1).
        direction = "inactive"
    return Section(words[0], mids[0], direction, tuple(lines))


def read_offer(text: str, *, reach: Reach, max_candidates: int) -> Offer:
    """Check an offer and drop the candidates that are of no use; raises `BadOffer`."""
    lines = _split(text)
    if not lines or lines[0] != "v=0":
        raise BadOffer("malformed-sdp", "A session description begins with v=0.")
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    if not starts:
        raise BadOffer("malformed-sdp", "The offer has no media section.")
    ends = [*starts[1:], len(lines)]
    head = tuple(lines[: starts[0]])
    sections = [_section(lines[start:end]) for start, end in zip(starts, ends, strict=True)]
    offer = Offer(head, tuple(sections))
    _check_kinds(offer)
    _check_transport(offer)
    values = [value for section in sections for value in section.values("candidate")]
    addresses = {address for value in values if (address := candidate_address(value)) is not None}
    if len(addresses) > max_candidates:
        raise BadOffer(
            "too-many-candidates",
            f"The offer has {len(addresses)} candidates, at most {max_candidates} are accepted.",
        )
    return Offer(head, tuple(_usable(section, reach) for section in sections))


def _usable(section: Section, reach: Reach) -> Section:
    # End-of-candidates goes too: without it aioice waits for the browser's own checks even when
    # no candidate is left; how long is up to our connect deadline.
    keep = {f"a=candidate:{value}" for value in _kept(section.values("candidate"), reach)}
    lines = tuple(
        line
        for line in section.lines
        if line != "a=end-of-candidates" and (not line.startswith("a=candidate:") or line in keep)
    )
    return Section(section.kind, section.mid, section.direction, lines)


def _check_kinds(offer: Offer) -> None:
    kinds = [section.kind for section in offer.sections]
    for kind in kinds:
        if kind not in ("audio", "video", "application"):
            raise BadOffer("unsupported-media", f"Media of kind {kind[:20]!r} is not taken.", 422)
        if kinds.count(kind) > 1:
            raise BadOffer(
                "too-many-media",
                f"The offer has {kinds.count(kind)} {kind} sections, one is accepted.",
                422,
            )
    mids = [section.mid for section in offer.sections]
    if len(set(mids)) != len(mids):
        raise BadOffer("malformed-sdp", "Two media sections have the same a=mid.")
    groups = [line.split()[1:] for line in offer.head if line.startswith("a=group:BUNDLE")]
    if len(mids) > 1 and not any(set(mids) <= set(group) for group in groups):
        raise BadOffer(
            "no-bundle", "All media must share one transport (a=group:BUNDLE, RFC 9725).", 422
        )


def _check_transport(offer: Offer) -> None:
    for section in offer.sections:
        for name in ("ice-ufrag", "ice-pwd", "fingerprint", "setup"):
            prefix = f"a={name}:"
            if not any(line.startswith(prefix) for line in (*offer.head, *section.lines)):
                raise BadOffer("malformed-sdp", f"Media section {section.mid!r} lacks a={name}.")
        for line in (*offer.head, *section.lines):
            if line.startswith("a=setup:") and line[8:] not in ("actpass", "active", "passive"):
                raise BadOffer("setup", f"There is no way to begin DTLS with {line!r}.", 422)
        if section.kind != "application" and "a=rtcp-mux" not in section.lines:
            raise BadOffer("no-rtcp-mux", "RTP and RTCP must share one port (a=rtcp-mux).", 422)


def read_fragment(text: str, *, reach: Reach) -> Fragment:
    """Parse the body of a trickle PATCH; raises `BadOffer`."""
    ufrag: str | None = None
    mid: str | None = None
    candidates: list[str] = []
    for line in _split(text):
        name, _, value = line.partition(":")
        if name == "a=ice-ufrag":
            ufrag = value
        elif name == "a=mid" and mid is None:
            mid = value
        elif name == "a=candidate":
            candidates.append(value)
        elif not line.startswith(("a=", "m=")):
            raise BadOffer("malformed-sdp", f"Not a line of an SDP fragment: {line[:80]!r}.")
    if candidates and mid is None:
        raise BadOffer("malformed-sdp", "Candidates need the a=mid of their media section.")
    return Fragment(ufrag, mid or "", tuple(_kept(candidates, reach)), len(candidates))

"""Edits of our answers. Pure, no aiortc.

What aiortc 1.16 does not write itself is added here as text: RFC 9725 (WHIP) wants `rtcp-mux-only`
and `ice-options:trickle`, Chromium wants a start bit rate and, from several layers of simulcast, to
know which one, and a machine behind 1:1 NAT wants its public address among the candidates.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from gateway.sdp import Offer
from gateway.simulcast import Layer, largest_layer


@dataclass(frozen=True, slots=True)
class Bitrate:
    """Kilobits per second that Chromium starts at and stays between."""

    start: int
    minimum: int
    maximum: int

    def parameters(self) -> str:
        """As format parameters."""
        return (
            f"x-google-start-bitrate={self.start};"
            f"x-google-min-bitrate={self.minimum};"
            f"x-google-max-bitrate={self.maximum}"
        )


def finish_answer(
    answer: str, offer: Offer, *, bitrate: Bitrate | None = None, public_address: str | None = None
) -> str:
    """Add what aiortc leaves out of an answer; `bitrate` is for video that comes to us."""
    lines = answer.replace("\r\n", "\n").strip("\n").split("\n")
    finished: list[str] = []
    kind = ""
    video = offer.section("video")
    layer = largest_layer(video) if video is not None and bitrate is not None else None
    for line in lines:
        if line.startswith("m="):
            kind = line[2:].split()[0]
        added = [line]
        if line == "a=rtcp-mux":
            added.append("a=rtcp-mux-only")
        elif line.startswith("a=ice-pwd:"):
            added.append("a=ice-options:trickle")
        elif line.startswith("a=ice-options:"):
            added = []
        elif line.startswith("a=candidate:") and public_address is not None:
            added += public_candidate(line, public_address)
        elif kind == "video" and bitrate is not None:
            added = _with_bitrate(line, bitrate)
            if layer is not None and line.startswith("a=mid:"):
                added += _one_layer(layer)
        finished += added
    return "\r\n".join(finished) + "\r\n"


def _with_bitrate(line: str, bitrate: Bitrate) -> list[str]:
    if line.startswith("a=rtpmap:") and line.upper().endswith(" VP8/90000"):
        payload_type = line[len("a=rtpmap:") :].split()[0]
        return [line, f"a=fmtp:{payload_type} {bitrate.parameters()}"]
    if line.startswith("a=fmtp:") and "profile-level-id" in line:
        return [f"{line};{bitrate.parameters()}"]
    return [line]


def _one_layer(layer: Layer) -> list[str]:
    # Without these lines Chromium sends the first layer, usually the smallest.
    if layer.extension is None:
        return []
    return [
        f"a=extmap:{layer.extension}",
        f"a=rid:{layer.rid} recv",
        f"a=simulcast:recv {layer.rid}",
    ]


def public_candidate(line: str, public_address: str) -> list[str]:
    """The line of a host candidate again with the outside's address (1:1 NAT), if it is one."""
    parts = line.split()
    ours, theirs = ipaddress.ip_address(parts[4]), ipaddress.ip_address(public_address)
    if parts[7] != "host" or ours.is_loopback or ours.version != theirs.version:
        return []
    return [" ".join([f"{parts[0]}p", *parts[1:4], public_address, *parts[5:]])]

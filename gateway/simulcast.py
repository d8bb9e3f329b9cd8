"""Simulcast offers (RFC 8853): which layer is the largest, and how its packets are known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.sdp import Section

RID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"

NAMED: Final = (
    ("q", "h", "f"),
    ("l", "m", "h"),
    ("s", "m", "l"),
    ("lo", "mi", "hi"),
    ("low", "mid", "high"),
    ("low", "medium", "high"),
)
"""Names of layers that clients agree on without a standard, from small to large."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a simulcast offer."""

    rid: str
    extension: str | None
    """The offer's `extmap` value for the header extension that carries rids, if it has one."""

    @property
    def extension_id(self) -> int | None:
        """The number of that extension in packets."""
        number = (self.extension or "").partition(" ")[0].partition("/")[0]
        return int(number) if number.isdigit() else None


def largest_layer(section: Section) -> Layer | None:
    """The largest layer that a video section offers to send, `None` without simulcast."""
    rids, paused = _offered(section)
    if not rids:
        return None
    sizes = {rid: _size(section, rid) for rid in rids}
    order = _named(rids)
    # A layer without restriction beside others that have one is larger than they are. Without any,
    # names decide, and then the order: pages list small to large.
    largest = max(
        rids,
        key=lambda rid: (rid not in paused, *sizes[rid], order.index(rid)),
    )
    extension = next((value for value in section.values("extmap") if value.endswith(RID_URI)), None)
    return Layer(largest, extension)


def _offered(section: Section) -> tuple[list[str], set[str]]:
    for value in section.values("simulcast"):
        words = value.split()
        if "send" in words[:-1]:
            # Of alternatives (comma) the first is preferred.
            layers = [each.split(",")[0] for each in words[words.index("send") + 1].split(";")]
            rids = [each.lstrip("~") for each in layers]
            return rids, {each[1:] for each in layers if each.startswith("~")}
    return [], set()


def _size(section: Section, rid: str) -> tuple[float, float]:
    """Pixels and bits per second that its restrictions allow (RFC 8851), infinite without."""
    limits: dict[str, int] = {}
    for words in (line.split() for line in section.values("rid")):
        if words[:1] == [rid] and len(words) > 2:
            for part in words[2].split(";"):
                name, _, number = part.partition("=")
                if number.isdigit():
                    limits[name] = int(number)
    # One side alone says enough; `max-fs` counts macroblocks.
    width = limits.get("max-width", limits.get("max-height", 0))
    height = limits.get("max-height", width)
    pixels = width * height or 256 * limits.get("max-fs", 0)
    return pixels or float("inf"), limits.get("max-br", 0) or float("inf")


def _named(rids: list[str]) -> list[str]:
    """The same rids from small to large, as far as their names tell."""
    if all(rid.isdigit() for rid in rids):
        # OBS numbers its encoders, and its first one has the output's own size.
        return sorted(rids, key=int, reverse=True)
    for names in NAMED:
        if len(rids) > 1 and set(rids) <= set(names):
            return sorted(rids, key=names.index)
    return rids

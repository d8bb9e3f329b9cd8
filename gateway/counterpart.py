"""Session descriptions between the gateway and the servers that it calls itself. Pure, no aiortc.

What browsers and encoders send to our own endpoints is held to RFC 9725 by `gateway.sdp`. Servers
that we call are what they are: they reject sections (port 0, RFC 3264, 6), leave out `a=mid`, offer
several videos (Janus), or bundle without saying so. Here such descriptions become ones that aiortc
takes, or a `BadAnswer` or `BadOffer` that says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.answers import public_candidate
from gateway.sdp import DIRECTIONS, BadOffer, Direction, Offer, Reach, Section, candidate_address

LONGEST: Final = 64 * 1024
"""Characters of a description; browsers and SFUs send about 6,000 for one video and one audio."""
MOST_SECTIONS: Final = 16
MOST_CANDIDATES: Final = 64
"""Kept; further ones are dropped. A server is not asked to have few addresses."""
TRANSPORT: Final = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:")


class BadAnswer(Exception):
    """The other server's fault: its answer cannot be used; the message says why."""


def finish_offer(offer: str, *, public_address: str | None = None) -> str:
    """Add what RFC 9725 wants in our offers and aiortc does not write."""
    finished: list[str] = []
    for line in _lines(offer):
        finished.append(line)
        if line == "a=rtcp-mux":
            finished.append("a=rtcp-mux-only")
        elif line.startswith("a=candidate:") and public_address is not None:
            finished += public_candidate(line, public_address)
    return _text(finished)


def read_answer(text: str, offered: str, *, reach: Reach) -> str:
    """The other server's answer to `offered`, as aiortc takes it; raises `BadAnswer`.

    Rejected sections come out as inactive ones on the transport of the others.
    """
    if len(text) > LONGEST:
        raise BadAnswer(f"its answer is longer than {LONGEST} characters")
    head, sections = _parts(text)
    ours_head, ours = _parts(offered)
    if not sections:
        raise BadAnswer("its answer is no session description with media")
    if [_kind(section) for section in sections] != [_kind(section) for section in ours]:
        raise BadAnswer("the media sections of its answer are not those of our offer")
    taken = [section for section in sections if not _is_rejected(section)]
    if not taken:
        raise BadAnswer("it rejects all media that it was offered")
    transport = [line for line in (*head, *taken[0]) if line.startswith(TRANSPORT)]
    lines = [line for line in head if not line.startswith("a=group:BUNDLE")]
    # All on one transport, as offered (max-bundle), whatever the answer says of it.
    lines += [line for line in ours_head if line.startswith("a=group:BUNDLE")]
    for theirs, our in zip(sections, ours, strict=True):
        if _is_rejected(theirs):
            lines += _inactive(our, transport)
        else:
            lines += _with_mid(_usable(theirs, head, reach), _mid(our) or "")
    return _text(lines)


def read_counter_offer(text: str, *, reach: Reach) -> Offer:
    """Another server's offer, as `gateway.peer.Peer.answer` takes it; raises `BadOffer`.

    Sections that nobody can use (rejected, or neither audio nor video) are left out here and come
    back rejected by `complete_answer`.
    """
    if len(text) > LONGEST:
        raise BadOffer("malformed-sdp", f"The offer is longer than {LONGEST} characters.")
    head, parts = _parts(text)
    if len(parts) > MOST_SECTIONS:
        raise BadOffer("too-many-media", f"The offer has more than {MOST_SECTIONS} sections.", 422)
    sections = tuple(
        _section(_with_mid(_usable(part, head, reach), str(number)))
        for number, part in enumerate(parts)
        if _is_wanted(part)
    )
    if not sections:
        raise BadOffer("no-video", "The offer has no audio or video that could be received.", 422)
    group = "a=group:BUNDLE " + " ".join(section.mid for section in sections)
    rest = (line for line in head if not line.startswith("a=group:BUNDLE"))
    return Offer((*rest, group), sections)


def complete_answer(answer: str, offer: str, *, public_address: str | None = None) -> str:
    """Our answer with a rejection of each section of `offer` that `read_counter_offer` left out."""
    head, parts = _parts(finish_offer(answer, public_address=public_address))
    _, offered = _parts(offer)
    left = iter(parts)
    lines = list(head)
    for section in offered:
        if _is_wanted(section):
            lines += next(left)
        else:
            media, _, rest = section[0].partition(" ")
            lines += [f"{media} 0 {rest.partition(' ')[2]}", "c=IN IP4 0.0.0.0", "a=inactive"]
            lines += [line for line in section if line.startswith("a=mid:")]
    return _text(lines)


def _kind(section: Sequence[str]) -> str:
    """`audio`, `video` or `application`."""
    return section[0][2:].split(" ")[0]


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def _text(lines: Iterable[str]) -> str:
    return "\r\n".join(lines) + "\r\n"


def _parts(text: str) -> tuple[list[str], list[list[str]]]:
    """Session-level lines, and the lines of each media section."""
    head: list[str] = []
    sections: list[list[str]] = []
    for line in _lines(text):
        if line.startswith("m="):
            sections.append([])
        (sections[-1] if sections else head).append(line)
    return head, sections


def _port(section: Sequence[str]) -> str:
    words = section[0].split(" ")
    return words[1] if len(words) > 1 else ""


def _is_rejected(section: Sequence[str]) -> bool:
    # A bundled section may have port 0 and live (RFC 9143, 6).
    return _port(section) == "0" and "a=bundle-only" not in section


def _is_wanted(section: Sequence[str]) -> bool:
    return _kind(section) in ("audio", "video") and not _is_rejected(section)


def _mid(section: Sequence[str]) -> str | None:
    return next((line[6:] for line in section if line.startswith("a=mid:")), None)


def _with_mid(section: list[str], mid: str) -> list[str]:
    return section if _mid(section) is not None else [*section, f"a=mid:{mid}"]


def _usable(section: list[str], head: Sequence[str], reach: Reach) -> list[str]:
    """With a direction, without the candidates that lead nowhere (see `gateway.sdp.Reach`)."""
    kept: list[str] = []
    candidates = 0
    for line in section:
        if line.startswith("a=extmap:") and len(line.split()) != 2:
            # With attributes of the extension, for which aiortc has no place.
            continue
        if line.startswith("a=candidate:"):
            address = candidate_address(line[len("a=candidate:") :])
            if address is None or not reach.allows(address[0]) or candidates >= MOST_CANDIDATES:
                continue
            candidates += 1
        elif line == "a=end-of-candidates":
            # Without it aioice also waits for the other side's own checks.
            continue
        kept.append(line)
    if _direction(section) is None:
        kept.append(f"a={_direction(head) or 'sendrecv'}")
    return kept


def _direction(lines: Sequence[str]) -> Direction | None:
    return next((word for word in DIRECTIONS if f"a={word}" in lines), None)


def _inactive(ours: list[str], transport: list[str]) -> list[str]:
    keep = ("m=", "a=mid:", "a=rtpmap:", "a=fmtp:", "a=rtcp-mux")
    return [*(line for line in ours if line.startswith(keep)), "a=inactive", *transport]


def _section(lines: list[str]) -> Section:
    mid, direction = _mid(lines), _direction(lines)
    assert mid is not None
    assert direction is not None
    return Section(_kind(lines), mid, direction, tuple(lines))

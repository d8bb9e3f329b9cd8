"""Offers and fragments as text: what browsers, encoders and the standards' own examples send."""

from __future__ import annotations

import secrets
from typing import Final

SEND: Final = {"whip": "sendonly", "whep": "recvonly"}
"""How clients of each kind offer."""
WRONG: Final = {"whip": "recvonly", "whep": "sendonly"}

VIDEO_CODECS: Final = (
    "a=rtpmap:96 VP8/90000",
    "a=rtcp-fb:96 ccm fir",
    "a=rtcp-fb:96 nack",
    "a=rtcp-fb:96 nack pli",
    "a=rtpmap:97 rtx/90000",
    "a=fmtp:97 apt=96",
    "a=rtpmap:102 H264/90000",
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    "a=rtcp-fb:102 nack",
    "a=rtcp-fb:102 nack pli",
)
UNKNOWN_CODEC: Final = ("a=rtpmap:96 WALLPAPER/90000",)
AUDIO_CODECS: Final = ("a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1")
SIMULCAST: Final = (
    "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "a=rid:q send",
    "a=rid:h send",
    "a=rid:f send",
    "a=simulcast:send q;h;f",
)


class Description:
    """An offer without candidates, to be changed and then read by `text`."""

    def __init__(self, direction: str, *kinds: str, setup: str = "actpass") -> None:
        self.kinds = kinds or ("video",)
        self.direction = direction
        self.setup = setup
        self.ufrag = secrets.token_hex(4)
        self.password = secrets.token_hex(16)
        self.fingerprint = ":".join(f"{byte:02X}" for byte in secrets.token_bytes(32))
        self.extra: tuple[str, ...] = ()
        """More lines of the video section."""
        self.video_codecs = VIDEO_CODECS
        self.closed_port = True
        """Whether bundled sections have port 0, as in the standards' examples (RFC 9143, 7.2.1)."""

    def text(self) -> str:
        """With CRLF, as RFC 8866 wants."""
        mids = " ".join(str(mid) for mid in range(len(self.kinds)))
        lines = [
            "v=0",
            "o=- 5228595038118931041 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            f"a=group:BUNDLE {mids}",
            "a=extmap-allow-mixed",
            "a=ice-options:trickle ice2",
        ]
        for mid, kind in enumerate(self.kinds):
            lines += self._section(mid, kind)
        return "\r\n".join(lines) + "\r\n"

    def _section(self, mid: int, kind: str) -> list[str]:
        port = 0 if mid and self.closed_port and kind != "application" else 9
        codecs = {"video": self.video_codecs, "audio": AUDIO_CODECS}.get(kind, ())
        numbers = " ".join(dict.fromkeys(c[9:].split()[0] for c in codecs if "rtpmap" in c))
        if kind == "application":
            first = [f"m=application {port} UDP/DTLS/SCTP webrtc-datachannel"]
            last = ["a=sctp-port:5000", "a=max-message-size:262144"]
        else:
            first = [f"m={kind} {port} UDP/TLS/RTP/SAVPF {numbers}"]
            last = [
                "a=rtcp:9 IN IP4 0.0.0.0",
                "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
                f"a={self.direction}",
                "a=rtcp-mux",
                "a=rtcp-mux-only",
                "a=rtcp-rsize",
                *codecs,
            ]
            if self.direction.startswith("send"):
                last.append(f"a=msid:- {kind}{mid}")
            last += self.extra if kind == "video" else ()
        bundled = ["a=bundle-only"] if port == 0 else []
        return [
            *first,
            "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            f"a=fingerprint:sha-256 {self.fingerprint}",
            f"a=setup:{self.setup}",
            f"a=mid:{mid}",
            *bundled,
            *last,
        ]

    def fragment(self, *candidates: str) -> str:
        """A trickled part of it (RFC 8840, as in RFC 9725, 4.3.2)."""
        kind = self.kinds[0]
        lines = [
            "a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(self.kinds))),
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {96 if kind == 'video' else 111}",
            "a=mid:0",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            *(f"a=candidate:{candidate}" for candidate in candidates),
        ]
        return "\r\n".join(lines) + "\r\n"


def sections(description: str) -> list[list[str]]:
    """Lines of each m-section."""
    found: list[list[str]] = []
    for line in description.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            found.append([])
        if found and line:
            found[-1].append(line)
    return found


def direction_of(section: list[str]) -> str:
    """`sendrecv` where none is written (RFC 8866, 6.7)."""
    words = ("sendrecv", "sendonly", "recvonly", "inactive")
    return next((line[2:] for line in section if line[2:] in words), "sendrecv")


def kind_of(section: list[str]) -> str:
    """`audio`, `video` or `application`."""
    return section[0][2:].split()[0]


def values(description: str, attribute: str) -> list[str]:
    """What follows `a=attribute:` in each of its lines."""
    prefix = f"a={attribute}:"
    lines = description.replace("\r\n", "\n").split("\n")
    return [line[len(prefix) :] for line in lines if line.startswith(prefix)]

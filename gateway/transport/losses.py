"""Sending less when much is lost.

Receivers estimate by delay alone (REMB) and leave losses to the sender; aiortc 1.16 ignores them.
The rule is that of Google's congestion control (draft-ietf-rmcat-gcc-02, section 6).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiortc import RTCRtpSender
from aiortc.rtp import AnyRtcpPacket, RtcpRrPacket, RtcpSrPacket

from gateway.transport import hidden

MUCH: Final = 0.10
"""Share of lost packets above which less is sent; retransmissions mend what is below."""
LITTLE: Final = 0.02
"""Share below which more is tried."""
GROWTH: Final = 1.08
"""Per report, of which one comes every second or so."""


class LossLimit:
    """The bits per second that losses allow."""

    def __init__(self, lowest: int, highest: int) -> None:
        self.bitrate = highest
        self._lowest, self._highest = lowest, highest

    def report(self, lost: float, used: int) -> None:
        """Of what was sent at `used` bits per second, this share was lost."""
        if lost > MUCH:
            less = int(min(self.bitrate, used) * (1 - lost / 2))
            # From below what is sent at least, the way back would be long.
            self.bitrate = max(less, self._lowest)
        elif lost < LITTLE:
            self.bitrate = min(int(self.bitrate * GROWTH) + 1000, self._highest)


def heed_losses(sender: RTCRtpSender) -> None:
    """Tell a sender's encoder what its receiver reports as lost."""
    handle: Callable[[AnyRtcpPacket], Awaitable[None]] = hidden.method(
        sender, "_handle_rtcp_packet"
    )

    async def heed(packet: AnyRtcpPacket) -> None:
        encoder: Any = hidden.read(sender, RTCRtpSender, "encoder")
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket) and hasattr(encoder, "lost"):
            for report in packet.reports:
                if report.ssrc == sender._ssrc:
                    encoder.lost(report.fraction_lost / 256)
        await handle(packet)

    hidden.replace(sender, "_handle_rtcp_packet", heed)

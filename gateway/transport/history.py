"""Sent packets, kept for retransmission.

aiortc 1.16 keeps 128, which is 150 ms of 8 Mbit/s: less than many round trips.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from aiortc import RTCRtpSender
from aiortc.rtp import RtpPacket

from gateway.transport import hidden

KEPT: Final = 2048
"""Packets: more than a second of 12 Mbit/s."""
OFTEN: Final = 0.01
"""Seconds within which a packet is not sent again: requests for it crossed it on the way."""


class History:
    """Stands in for the sender's dictionary, which aiortc asks by number modulo 128."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.repeated = 0
        """Packets sent again."""
        self._clock = clock
        self._packets: OrderedDict[int, RtpPacket] = OrderedDict()
        self._sent_again: dict[int, float] = {}
        self._wanted: RtpPacket | None = None

    def __setitem__(self, slot: int, packet: RtpPacket) -> None:
        number = packet.sequence_number
        self._packets.pop(number, None)
        self._packets[number] = packet
        self._sent_again.pop(number, None)
        while len(self._packets) > KEPT:
            old, _ = self._packets.popitem(last=False)
            self._sent_again.pop(old, None)

    def get(self, slot: int) -> RtpPacket | None:
        """The packet chosen by `choose`."""
        return self._wanted

    def __len__(self) -> int:
        return len(self._packets)

    def choose(self, number: int) -> bool:
        """Whether the packet is there, and was not sent again a moment ago."""
        self._wanted = self._packets.get(number)
        now = self._clock()
        if self._wanted is None or now - self._sent_again.get(number, -1.0) < OFTEN:
            return False
        self._sent_again[number] = now
        self.repeated += 1
        return True


def remember(sender: RTCRtpSender, history: History) -> None:
    """Make a sender repeat packets from `history`."""
    repeat: Callable[[int], Awaitable[None]] = hidden.method(sender, "_retransmit")

    async def retransmit(sequence_number: int) -> None:
        # aiortc looks the packet up before it awaits anything.
        if history.choose(sequence_number):
            await repeat(sequence_number)

    hidden.write(sender, RTCRtpSender, "rtp_history", history)
    hidden.replace(sender, "_retransmit", retransmit)

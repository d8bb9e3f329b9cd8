"""Sender reports that say when sound and picture were captured, and what others' reports say.

aiortc 1.16 reports that its newest timestamp was captured when it was sent. Sound and picture are
sent at different times after their capture, and browsers, which play what was captured together
together (both are of one MediaStream and one CNAME), would undo the very delay that
`gateway.audio` puts on the sound for players that go by arrival alone. What is reported here is the
capture itself, carried through from the source's own reports.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiortc import RTCRtpReceiver, RTCRtpSender, clock
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket

from gateway.capture import Timeline
from gateway.transport import hidden

NTP: Final = 1 << 32
"""Units of an NTP timestamp in a second."""
MEMORY: Final = 1.0
"""Seconds over which a lag is averaged, as sound that is moved about is heard."""


class Lag:
    """How long after its capture a video's frames have left, all that is done to them included."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        """`None` before the first frame."""
        self._last = 0.0

    def sent(self, captured: float, now: float) -> None:
        """A frame is on its way."""
        found = max(0.0, now - captured)
        before = self.seconds
        weight = 1 - math.exp((self._last - now) / MEMORY)
        self.seconds = found if before is None else before + weight * (found - before)
        self._last = now


class SenderReports:
    """What one sender reports, if its track has a method `captured`.

    Seconds of the track's own timestamps are what it takes; it returns the monotonic second at
    which that was captured, or `None`.
    """

    def __init__(
        self,
        sender: RTCRtpSender,
        lag: Lag | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = sender
        self._lag = lag
        self._now = now
        self._next: Callable[[RTCRtpCodecParameters], Awaitable[RTCEncodedFrame | None]]
        self._send: Callable[[list[AnyRtcpPacket]], Awaitable[None]]
        self._rate = 0
        self._last: tuple[int, float] | None = None
        """Timestamp of the newest frame, before RTP's random origin, and when it was captured."""
        self._left = False
        """Whether that frame has been sent."""
        self._origin: int | None = None

    def install(self) -> None:
        """Put it on the sender."""
        self._next = hidden.method(self._sender, "_next_encoded_frame")
        self._send = hidden.method(self._sender, "_send_rtcp")
        hidden.replace(self._sender, "_next_encoded_frame", self.next)
        hidden.replace(self._sender, "_send_rtcp", self.send)

    async def next(self, codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        """As the sender's; it asks for a frame when the one before has been sent."""
        if self._last is not None and not self._left:
            timestamp, captured = self._last
            newest: int = hidden.read(self._sender, RTCRtpSender, "rtp_timestamp")
            self._origin = (newest - timestamp) & 0xFFFFFFFF
            self._left = True
            if self._lag is not None:
                self._lag.sent(captured, self._now())
        frame = await self._next(codec)
        self._rate = codec.clockRate
        found = None if frame is None else self._captured(frame.timestamp)
        if frame is not None and found is not None:
            self._last, self._left = (frame.timestamp, found), False
        return frame

    async def send(self, packets: list[AnyRtcpPacket]) -> None:
        """As the sender's, its report corrected."""
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._correct(packet)
        await self._send(packets)

    def _captured(self, timestamp: int) -> float | None:
        ask: Callable[[float], float | None] | None = getattr(self._sender.track, "captured", None)
        return None if ask is None else ask(timestamp / self._rate)

    def _correct(self, report: RtcpSrPacket) -> None:
        if self._last is None or self._origin is None:
            return
        timestamp, captured = self._last
        since = round((self._now() - captured) * self._rate)
        info = report.sender_info
        info.rtp_timestamp = (self._origin + timestamp + since) & 0xFFFFFFFF
        info.ntp_timestamp = clock.current_ntp_time()
        # The round trip is known by it when it comes back.
        hidden.write(self._sender, RTCRtpSender, "lsr", info.ntp_timestamp >> 16 & 0xFFFFFFFF)


def heed_reports(
    receiver: RTCRtpReceiver,
    timeline: Timeline,
    seconds: Callable[[int, int], float | None],
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Tell a timeline what a receiver's sender reports.

    `seconds` takes a source (SSRC) and one of its timestamps, of 32 bits.
    """
    handle: Callable[[AnyRtcpPacket], Awaitable[None]] = hidden.method(
        receiver, "_handle_rtcp_packet"
    )

    async def heed(packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpSrPacket) and packet.sender_info.ntp_timestamp:
            info: Any = packet.sender_info
            timestamp = seconds(packet.ssrc, info.rtp_timestamp)
            if timestamp is not None:
                timeline.reported(info.ntp_timestamp / NTP, timestamp, now())
        await handle(packet)

    hidden.replace(receiver, "_handle_rtcp_packet", heed)

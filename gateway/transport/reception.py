"""A video receiver of aiortc 1.16 that asks again, gives up in time and never shows a torn frame.

Stands in for the receiver's `JitterBuffer` and `NackGenerator`. Frames go to the decoder's backlog
directly, as one packet may complete several.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import VIDEO_CLOCK_RATE
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket

from gateway.capture import Timeline
from gateway.owned_tasks import OwnedTasks
from gateway.stats import Arrivals
from gateway.transport import hidden
from gateway.transport.assembly import Assembly, Whole
from gateway.transport.backlog import Backlog
from gateway.transport.gaps import Gaps

MAX_DROPOUT: Final = 3000
"""Sequence numbers that a packet may be away from the newest (RFC 3550, A.1)."""
MOST_MISSING: Final = 600
"""Packets; half a second. A longer gap is an interruption: a key frame mends it sooner."""
SILENT: Final = 1.0
"""Seconds after which another source of the same video is listened to."""


class Reception:
    """One video's packets on their way to its decoder."""

    def __init__(
        self,
        receiver: RTCRtpReceiver,
        backlog: Backlog,
        arrivals: Arrivals,
        tasks: OwnedTasks,
        clock: Callable[[], float] | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.timeline = timeline or Timeline()
        """When frames were captured."""
        self.missing: list[int] = []
        """Sequence numbers to ask for, as aiortc reads them after `arrived`."""
        self.ssrc: int | None = None
        """The source that is listened to."""
        self.rid: str | None = None
        """The only layer of simulcast to listen to; some senders send all, whatever is answered."""
        self._named = False
        """Whether the source said to be that layer."""
        self._others: set[int] = set()
        """Sources that said to be another layer."""
        self._receiver = receiver
        self._backlog = backlog
        self._arrivals = arrivals
        self._tasks = tasks
        self._clock = clock or asyncio.get_running_loop().time
        self._gaps = Gaps()
        self._assembly = Assembly()
        self._newest: int | None = None
        self._suspect: int | None = None
        """The sequence number that would confirm a sender's new beginning."""
        self._current: int | None = None
        """The unwrapped number of the packet in hand, `None` if it is to be ignored."""
        self._heard = 0.0
        self._origin: int | None = None
        self._pts = 0
        self._codec: RTCRtpCodecParameters | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def layered(self) -> bool:
        """Whether other layers come as well."""
        return bool(self._others)

    def install(self) -> None:
        """Put it on the receiver."""
        hidden.write(self._receiver, RTCRtpReceiver, "nack_generator", _Nacks(self))
        hidden.write(self._receiver, RTCRtpReceiver, "jitter_buffer", _Frames(self))
        known = hidden.read(self._receiver, RTCRtpReceiver, "rtx_ssrc")
        hidden.write(self._receiver, RTCRtpReceiver, "rtx_ssrc", _Sources(self, known))

    def close(self) -> None:
        """Ask for nothing more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def arrived(self, packet: RtpPacket) -> bool:
        """Note a packet, before its payload is looked at; whether to ask for `missing` now."""
        now = self._clock()
        self._current = self._place(packet, now)
        if self._current is None:
            return False
        new, filled = self._gaps.arrived(self._current, now)
        if filled:
            self._arrivals.repaired += 1
        if not new:
            return False
        self.missing = [number & 0xFFFF for number in self._gaps.due(now)]
        return True

    def take(self, packet: RtpPacket) -> None:
        """Take the packet that `arrived` was told of, its payload read."""
        number, self._current = self._current, None
        if number is None:
            return
        self._codec = hidden.read(self._receiver, RTCRtpReceiver, "codecs")[packet.payload_type]
        late = self._assembly.late
        self._deliver(self._assembly.add(number, packet))  # type: ignore[arg-type]  # has `_data`
        self._arrivals.late += self._assembly.late - late
        if self._assembly.full:
            self._skip()
        self._arm()

    def seconds(self, ssrc: int, timestamp: int) -> float | None:
        """One of a source's own timestamps in seconds of ours, `None` if it is not shown."""
        if ssrc != self.ssrc or self._origin is None:
            return None
        return (self._pts + _between(self._origin, timestamp)) / VIDEO_CLOCK_RATE

    def _place(self, packet: RtpPacket, now: float) -> int | None:
        """The packet's unwrapped number, `None` if it is none of ours."""
        if self._closed:
            return None
        rid = packet.extensions.rtp_stream_id
        if self.rid is not None and rid is not None and rid != self.rid:
            self._others.add(packet.ssrc)
        if packet.ssrc in self._others:
            return None
        chosen = self.rid is not None and rid == self.rid
        if packet.ssrc != self.ssrc:
            # Senders leave names out once they are known: a source that came first without one
            # may be another layer, and gives way to one that says it is ours.
            certain = self._named or not chosen
            if self.ssrc is not None and certain and now - self._heard < SILENT:
                # Another layer; mixed, neither could be decoded.
                return None
            first = self.ssrc is None
            if self.ssrc is not None and chosen and not self._named:
                self._others.add(self.ssrc)
            self.ssrc, self._heard, self._named = packet.ssrc, now, chosen
            if not first:
                return self._begin_anew(packet)
        self._heard = now
        self._named |= chosen
        if self._newest is None:
            # Room below for packets that were overtaken by the first.
            self._newest = packet.sequence_number + 0x10000
            return self._newest
        away = (packet.sequence_number - self._newest + 0x8000) % 0x10000 - 0x8000
        if abs(away) > MAX_DROPOUT:
            expected, self._suspect = self._suspect, (packet.sequence_number + 1) & 0xFFFF
            return self._begin_anew(packet) if packet.sequence_number == expected else None
        self._suspect = None
        if away > MOST_MISSING:
            return self._begin_anew(packet)
        number = self._newest + away
        self._newest = max(self._newest, number)
        return number

    def _begin_anew(self, packet: RtpPacket) -> int:
        """Start over at a packet, waiting for a key frame."""
        assert self._newest is not None
        # Beyond everything before, so that numbers keep growing.
        self._newest = (self._newest | 0xFFFF) + 1 + packet.sequence_number
        round_trip, self._gaps = self._gaps.round_trip, Gaps()
        self._gaps.round_trip = round_trip
        self._assembly.begin_anew(self._newest, packet.timestamp)
        self._suspect = None
        self._lose()
        return self._newest

    def _deliver(self, frames: list[Whole]) -> None:
        for frame in frames:
            if self._origin is not None:
                passed = _between(self._origin, frame.timestamp)
                # A sender that jumps back is followed, but our time never runs backwards.
                self._pts += max(passed, 1)
            self._origin = frame.timestamp
            self.timeline.arrived(self._pts / VIDEO_CLOCK_RATE, self._clock())
            thread = hidden.read(self._receiver, RTCRtpReceiver, "decoder_thread")
            if thread is not None and self._codec is not None:
                self._backlog.put((self._codec, JitterFrame(frame.data, self._pts)))

    def _skip(self) -> None:
        """Give up the frame that is waited for."""
        frames = self._assembly.skip()
        self._gaps.give_up(self._assembly.start)
        self._lose()
        self._deliver(frames)

    def _lose(self) -> None:
        self._arrivals.broken += 1
        if self._backlog.lose() and self.ssrc is not None:
            self._tasks.start(self._receiver._send_rtcp_pli(self.ssrc))

    def _arm(self) -> None:
        """Set the timer for whatever is due next."""
        times = [self._gaps.next_due(), self._given_up_at()]
        soonest = min((time for time in times if time is not None), default=None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if soonest is not None and not self._closed:
            delay = max(0.0, soonest - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self.tend)

    def tend(self) -> None:
        """Ask again for what is missing, and give up what was waited for too long."""
        now = self._clock()
        while (at := self._given_up_at()) is not None and at <= now:
            self._skip()
        numbers = [number & 0xFFFF for number in self._gaps.due(now)]
        if numbers and self.ssrc is not None:
            self._tasks.start(self._receiver._send_rtcp_nack(self.ssrc, numbers))
        self._arm()

    def _given_up_at(self) -> float | None:
        hole = self._assembly.hole
        if hole is None:
            return None
        since = self._gaps.since(hole)
        # Not missing: it came and was of no use, or is forgotten; at once, then.
        return 0.0 if since is None else since + self._gaps.patience


def _between(earlier: int, later: int) -> int:
    """Units from one RTP timestamp to another."""
    return (later - earlier + 0x80000000) % 0x100000000 - 0x80000000


class _Nacks:
    """As aiortc's `NackGenerator` is used."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    @property
    def missing(self) -> list[int]:
        return self._reception.missing

    def add(self, packet: RtpPacket) -> bool:
        return self._reception.arrived(packet)


class _Frames:
    """As aiortc's `JitterBuffer` is used."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        self._reception.take(packet)
        return False, None


class _Sources(dict[int, int]):
    """Whose packets a retransmission repeats.

    Simulcast offers name no sources, and aiortc then drops all retransmissions.
    """

    def __init__(self, reception: Reception, known: dict[int, int]) -> None:
        super().__init__(known)
        self._reception = reception

    def get(self, ssrc: int, default: Any = None) -> Any:
        """The announced source, else the only one; of several layers nobody knows which."""
        return super().get(ssrc, default if self._reception.layered else self._reception.ssrc)

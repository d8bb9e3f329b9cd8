"""Packets into frames. Pure.

aiortc 1.16 hands over a frame when the next one's first packet comes, a frame late, and waits at a
gap until 512 packets have piled up behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

CAPACITY: Final = 2048
"""Packets held: more than a second of 12 Mbit/s."""


class Packet(Protocol):
    """What is read of aiortc's `RtpPacket`; `_data` is the payload without the codec's header."""

    timestamp: int
    marker: int
    _data: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """A complete encoded frame."""

    data: bytes
    timestamp: int
    """RTP, 32 bits."""


class Assembly:
    """One video's packets, by unwrapped sequence number, and the frames that they make up."""

    def __init__(self) -> None:
        self.late = 0
        """Packets that came after their frame was handed over or given up, duplicates included."""
        self._packets: dict[int, Packet] = {}
        self._start: int | None = None
        """Where the frame begins that is handed over next."""
        self._cursor = 0
        """The first number not looked at; all from the start to here are there."""
        self._highest = -1
        self._released: int | None = None
        """The timestamp of the last frame."""
        self._skipped: int | None = None
        """The timestamp of a frame whose rest is of no use."""
        self._markers = True
        """Whether the sender marks the last packet of a frame and no other (RFC 3550, 5.1)."""

    @property
    def hole(self) -> int | None:
        """The missing packet that everything waits for, if any."""
        return self._cursor if self._highest >= self._cursor and self._start is not None else None

    @property
    def full(self) -> bool:
        """Whether nothing more should wait."""
        return len(self._packets) >= CAPACITY

    def add(self, number: int, packet: Packet) -> list[Whole]:
        """Take a packet; the frames that are complete now, in order."""
        if self._start is None:
            self._start = self._cursor = number
        if number < self._cursor or number in self._packets:
            self.late += 1
            return []
        self._packets[number] = packet
        self._highest = max(self._highest, number)
        return self._advance() if number == self._cursor else []

    def skip(self) -> list[Whole]:
        """Give up the frame at the hole, and those whose beginning is unknown; what follows."""
        self._drop(self._cursor)
        number = self._highest + 1
        for there in sorted(self._packets):
            # Whether a frame begins behind the next packet that is there.
            packet = self._packets.pop(there)
            number = there + 1
            following = self._packets.get(number)
            if self._ends(packet):
                self._skipped = None
                break
            if following is not None and following.timestamp != packet.timestamp:
                self._skipped = None
                break
            self._skipped = packet.timestamp
            number = self._highest + 1
        self._start = self._cursor = number
        return self._advance()

    def begin_anew(self, number: int, timestamp: int) -> None:
        """Forget everything: the sender began anew, or too much is missing.

        The frame that the packet `number` belongs to is skipped: nobody knows where it begins.
        """
        self._packets.clear()
        self._start = self._cursor = number
        self._highest = number - 1
        self._skipped = timestamp
        self._released = None

    @property
    def start(self) -> int:
        """The number before which nothing is wanted any more."""
        return 0 if self._start is None else self._start

    def _advance(self) -> list[Whole]:
        frames: list[Whole] = []
        while (packet := self._packets.get(self._cursor)) is not None:
            assert self._start is not None
            if self._cursor == self._start and self._useless(packet):
                del self._packets[self._cursor]
                self._start = self._cursor = self._cursor + 1
                continue
            if self._cursor > self._start:
                before = self._packets[self._cursor - 1]
                if before.timestamp != packet.timestamp:
                    self._hand_over(frames, self._cursor)
                    continue
            self._cursor += 1
            if self._ends(packet):
                self._hand_over(frames, self._cursor)
        return frames

    def _ends(self, packet: Packet) -> bool:
        return self._markers and bool(packet.marker)

    def _useless(self, packet: Packet) -> bool:
        """Whether a packet at the beginning of a frame belongs to none."""
        if self._skipped is not None:
            if packet.timestamp == self._skipped:
                if self._ends(packet):
                    self._skipped = None
                return True
            self._skipped = None
        if packet.timestamp == self._released:
            if not packet._data:
                # Padding, sent to probe for bandwidth, has the time of the frame before.
                return True
            self._markers = False
        return False

    def _hand_over(self, frames: list[Whole], end: int) -> None:
        assert self._start is not None
        taken: Sequence[Packet] = [self._packets.pop(n) for n in range(self._start, end)]
        self._start = self._cursor = end
        self._released = taken[0].timestamp
        data = b"".join(packet._data for packet in taken)
        if data:
            frames.append(Whole(data, self._released))

    def _drop(self, end: int) -> None:
        assert self._start is not None
        for number in range(self._start, end):
            self._packets.pop(number, None)

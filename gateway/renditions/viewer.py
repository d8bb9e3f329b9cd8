"""One sender's view of a stream, encoded together with others'."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import replace
from typing import Any, Final, Protocol

from aiortc import MediaStreamError
from aiortc.codecs.base import Encoder
from av.frame import Frame
from av.packet import Packet

from gateway.renditions.ladder import Climb
from gateway.renditions.rendition import Rendition
from gateway.stats import Departures
from gateway.transport.encoded import EncodedFrame, EncodedTrack
from gateway.transport.encoders import Allowance, Downlink, numbered

BEHIND: Final = 8
"""Frames that may wait for a sender that is held up: a quarter of a second at 30."""
APART: Final = 90
"""Units of 1/90000 s between the last frame of one rendition and the first of another, where both
show the same composite: receivers take frames with one timestamp for one frame."""


class Place(Protocol):
    """Where a viewer gets its frames from."""

    def join(self, viewer: Viewer) -> None:
        """Be seated for the first time."""

    def settle(self, viewer: Viewer) -> None:
        """Be seated anew: the line has changed."""

    def leave(self, viewer: Viewer, rendition: Rendition) -> None:
        """Take nothing from this rendition any more."""

    def captured(self, timestamp: float) -> float | None:
        """When what is shown at this second of the stream's timestamps was captured."""


class Viewer(EncodedTrack):
    """Stands in the place of a sender's track, and by `agree` of its encoder.

    Joins its stream when the sender asks for the first frame, which is after connecting: who never
    connects costs no encoder.
    """

    def __init__(
        self, place: Place, downlink: Downlink, climb: Climb, departures: Departures
    ) -> None:
        super().__init__()
        self.codec = ""
        self.climb = climb
        self.allowance = Allowance(downlink)
        self.home: Rendition | None = None
        """Where it sits."""
        self.feed: Rendition | None = None
        """Whose frames it takes: until the first key frame from home, those of the place before."""
        self._place = place
        self._departures = departures
        self._queued: deque[EncodedFrame] = deque()
        self._woken = asyncio.Event()
        self._whole = False
        """Whether it has everything that the next frame of its feed refers to."""
        self._last: int | None = None

    @property
    def bitrate(self) -> int:
        """Bits per second that the line carries."""
        return self.allowance.bitrate

    def agree(self, codec: str) -> SenderSide:
        """See `EncodedTrack`."""
        self.codec = codec
        return SenderSide(self)

    def captured(self, timestamp: float) -> float | None:
        """When a timestamp of ours, in seconds, was captured, for the sender's reports."""
        return self._place.captured(timestamp)

    def need_key_frame(self) -> None:
        """See `EncodedTrack`."""
        if self.home is not None:
            self.home.ask()

    def estimated(self, bitrate: int) -> None:
        """The receiver's estimate of its line has come."""
        self.allowance.estimate = bitrate
        self._place.settle(self)

    def lost(self, share: float) -> None:
        """The receiver missed this share of the packets since its last report."""
        feed = self.feed
        self.allowance.lost(share, feed.bitrate if feed is not None else self.bitrate)
        self._place.settle(self)

    async def recv(self) -> EncodedFrame:  # type: ignore[override]  # what `pack` takes
        """Wait for the next frame; raises `MediaStreamError` when there will be none."""
        while self.readyState == "live":
            if self._queued:
                return self._queued.popleft()
            self._woken.clear()
            if self.home is None:
                self._place.join(self)
            await self._woken.wait()
        raise MediaStreamError

    def take(self, rendition: Rendition, frame: EncodedFrame) -> None:
        """See `Reader`."""
        if rendition is not self.feed and not self._cut_over(rendition, frame):
            return
        self._whole = self._whole or frame.key
        if self._whole and len(self._queued) >= BEHIND:
            # What waits is late, and the next one would only make it later.
            self._departures.behind += len(self._queued)
            self._queued.clear()
            self._whole = frame.key
            if not frame.key:
                rendition.ask()
        if not self._whole:
            self._departures.behind += 1
            return
        self._queued.append(self._on_time(frame))
        self._woken.set()

    def forget(self) -> None:
        """See `Reader`: send nothing of what waits, and join again with the next `recv`."""
        self.home = self.feed = None
        self._queued.clear()
        self._whole = False
        self._woken.set()

    def stop(self) -> None:
        """End, and leave the stream."""
        for rendition in {self.home, self.feed} - {None}:
            assert rendition is not None
            self._place.leave(self, rendition)
        super().stop()
        self.forget()

    def _cut_over(self, rendition: Rendition, frame: EncodedFrame) -> bool:
        """Whether this is the key frame with which the frames from home begin."""
        if rendition is not self.home or not frame.key:
            return False
        before, self.feed = self.feed, rendition
        if before is not None:
            self._place.leave(self, before)
        return True

    def _on_time(self, frame: EncodedFrame) -> EncodedFrame:
        last, self._last = self._last, frame.timestamp
        if last is None or frame.timestamp > last:
            return frame
        # Another rendition's encoder may still have been at a composite that was shown already.
        self._last = last + APART
        return replace(frame, timestamp=self._last)


class SenderSide(Encoder):
    """What a sender takes for its encoder: passes frames on, and says what its receiver reports."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._picture = random.randrange(1 << 15)

    @property
    def target_bitrate(self) -> int:
        """Bits per second; what the receiver estimates (REMB) is written here."""
        return self._viewer.bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        self._viewer.estimated(bitrate)

    def lost(self, share: float) -> None:
        """The receiver missed this share of the packets since its last report."""
        self._viewer.lost(share)

    def pack(self, packet: EncodedFrame | Packet[Any]) -> tuple[list[bytes], int]:
        """Payloads and RTP timestamp."""
        assert isinstance(packet, EncodedFrame)
        if self._viewer.codec != "VP8":
            return packet.payloads, packet.timestamp
        self._picture = (self._picture + 1) % (1 << 15)
        return numbered(packet.payloads, self._picture), packet.timestamp

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Never asked for, as viewers give frames that are encoded; aiortc's class demands it."""
        raise AssertionError("a viewer's frames are encoded already")

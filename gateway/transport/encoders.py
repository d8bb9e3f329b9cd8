"""Our video encoders in the place of aiortc's.

Those of aiortc 1.16 stop at 1.5 (VP8) and 3 Mbit/s (H.264), spend twice the bits at 60 fps (H.264),
are opened anew, with a key frame, on every change of the bit rate by a tenth, and answer every
request for a key frame at once. Its packets are taken over as they are.
"""

from __future__ import annotations

import logging
import random
import struct
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import av
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import VIDEO_TIME_BASE, convert_timebase
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.frame import Frame
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from gateway.settings import Settings
from gateway.transport.budget import Budget, Cadence, KeyFrames
from gateway.transport.compressors import X264, Compressor, LibVpx, Nvenc, Shape, rounded_up
from gateway.transport.encoded import EncodedFrame
from gateway.transport.losses import LossLimit
from models.processor import processors

logger = logging.getLogger(__name__)

LONGEST: Final = 0.5
"""Seconds that a frame counts for the bit rate after a pause."""


@dataclass(frozen=True, slots=True)
class Downlink:
    """Bits per second of an outgoing video."""

    start: int
    minimum: int
    maximum: int

    @classmethod
    def within(cls, settings: Settings) -> Downlink:
        """What the operator allows, who counts in kbit/s."""
        start, low, high = settings.downlink_start, settings.downlink_min, settings.downlink_max
        return cls(1000 * start, 1000 * low, 1000 * high)

    def clamp(self, bitrate: int) -> int:
        """Within the limits."""
        return max(self.minimum, min(bitrate, self.maximum))


class Allowance:
    """Bits per second for one line: what its receiver estimates (REMB), less when much is lost."""

    def __init__(self, downlink: Downlink) -> None:
        self.estimate = downlink.start
        self._downlink = downlink
        self._losses = LossLimit(downlink.minimum, downlink.maximum)

    @property
    def bitrate(self) -> int:
        """Within the limits."""
        return self._downlink.clamp(min(self.estimate, self._losses.bitrate))

    def lost(self, share: float, used: int) -> None:
        """Of what was sent at `used` bits per second, the receiver missed this share."""
        self._losses.report(share, used)


class VideoEncoder(Encoder):
    """Frames into RTP payloads; `take` and `encode` run on threads.

    A frame that cannot be encoded is lost, the next one is tried with a new codec, and where there
    is a second compressor with that one. Nothing else is ever sent in its place.
    """

    def __init__(
        self,
        downlink: Downlink,
        compressors: Sequence[Compressor],
        *,
        cores: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.opened = 0
        """Codecs so far; each began with a key frame."""
        self.failures = 0
        """Frames lost to errors."""
        self._downlink = downlink
        self._allowance = Allowance(downlink)
        self._compressors = list(compressors)
        self._cores = cores or processors()
        self._clock = clock
        self._codec: VideoCodecContext | None = None
        self._shape: Shape | None = None
        self._cadence = Cadence()
        self._budget = Budget(self._compressors[0].speeds)
        self._keys = KeyFrames()
        self._last: float | None = None
        self._working = threading.Lock()

    @property
    def target_bitrate(self) -> int:
        """Bits per second; what the receiver estimates (REMB) is written here."""
        return self._allowance.bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        self._allowance.estimate = bitrate

    def lost(self, share: float) -> None:
        """The receiver missed this share of the packets since its last report."""
        self._allowance.lost(share, self.target_bitrate)

    @property
    def shape(self) -> Shape | None:
        """What the codec is opened for, `None` before the first frame."""
        return self._shape

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Payloads, none if the frame was lost, and its RTP timestamp."""
        assert isinstance(frame, VideoFrame)
        encoded = self.take(frame, ask=force_keyframe)
        return (encoded.payloads, encoded.timestamp) if encoded else ([], _timestamp(frame))

    def take(self, frame: VideoFrame, *, ask: bool = False) -> EncodedFrame | None:
        """Encode a frame, as a key frame as soon as may be if they `ask`; `None` if it was lost."""
        with self._working:
            timestamp = _timestamp(frame)
            seconds = float(timestamp * VIDEO_TIME_BASE)
            self._cadence.mark(seconds)
            if ask:
                self._keys.ask()
            began, opened = self._clock(), self.opened
            try:
                packets = self._compress(frame, seconds)
            except (av.FFmpegError, ValueError) as error:
                self._give_up(error)
                return None
            took = self._clock() - began
            if self.opened == opened:  # opening a codec is not what its frames take
                self._budget.took(took, self._cadence.interval)
            key = any(packet.is_keyframe for packet in packets)
            if key:
                self._keys.made(seconds)
            payloads = self.packetize(b"".join(bytes(packet) for packet in packets))
            return EncodedFrame(payloads, timestamp, key) if payloads else None

    def close(self) -> None:
        """Free the codec; waits for the frame in work, so not for the event loop."""
        with self._working:
            self._codec = None

    def pack(self, packet: Packet[Any]) -> tuple[list[bytes], int]:
        """Payloads and RTP timestamp of what is encoded already."""
        return self.packetize(bytes(packet)), _timestamp(packet)

    @abstractmethod
    def packetize(self, data: bytes) -> list[bytes]:
        """One encoded frame as RTP payloads."""

    def _compress(self, frame: VideoFrame, seconds: float) -> list[Packet[Any]]:
        key = self._keys.due(seconds)
        if self._budget.overdrawn or (key and self._budget.ample):
            self._budget.adapt()
            logger.debug("video is encoded at speed %s", self._budget.speed)
        shape = self._wanted(frame)
        compressor = self._compressors[0]
        if self._codec is None or shape != self._shape:
            self._codec = None
            self._codec = compressor.open(shape, self._downlink.maximum, self._cores)
            self._shape = shape
            self.opened += 1
        pts, time_base = frame.pts, frame.time_base
        frame.pict_type = PictureType.I if key else PictureType.NONE
        interval = self._interval(seconds)
        try:
            compressor.steer(self._codec, frame, self.target_bitrate, interval)
            return self._codec.encode(frame)
        finally:
            frame.pts, frame.time_base = pts, time_base

    def _interval(self, seconds: float) -> float:
        last, self._last = self._last, seconds
        return self._cadence.interval if last is None else min(max(seconds - last, 1e-3), LONGEST)

    def _wanted(self, frame: VideoFrame) -> Shape:
        fps = self._shape.fps if self._shape is not None else 30
        if self._cadence.settled:
            # Never down: the level and the threads of a faster video serve a slower one.
            fps = max(fps, rounded_up(self._cadence.per_second))
        return Shape(frame.width, frame.height, fps, self._budget.speed)

    def _give_up(self, error: Exception) -> None:
        if not self.failures:
            logger.warning("a composite could not be encoded: %s", error)
        self.failures += 1
        self._codec = None
        if len(self._compressors) > 1:
            logger.warning("%s is given up", type(self._compressors[0]).__name__)
            del self._compressors[0]
            self._budget = Budget(self._compressors[0].speeds)


class Vp8(VideoEncoder):
    """VP8 within a `Downlink`."""

    def __init__(self, downlink: Downlink, compressors: Sequence[Compressor] = ()) -> None:
        super().__init__(downlink, compressors or [LibVpx()])
        self._picture = random.randrange(1 << 15)

    def packetize(self, data: bytes) -> list[bytes]:
        """RFC 7741, with picture ids of two bytes, which SFUs can rewrite."""
        payloads = Vp8Encoder._packetize(data, self._picture)
        self._picture = (self._picture + 1) % (1 << 15)
        return payloads


class H264(VideoEncoder):
    """H.264 within a `Downlink`."""

    def __init__(self, downlink: Downlink, compressors: Sequence[Compressor] = ()) -> None:
        super().__init__(downlink, compressors or [X264()])

    def packetize(self, data: bytes) -> list[bytes]:
        """RFC 6184, packetization mode 1."""
        return H264Encoder._packetize(H264Encoder._split_bitstream(data))


def numbered(payloads: Sequence[bytes], picture: int) -> list[bytes]:
    """VP8 payloads with another picture id: each receiver's have to be consecutive (RFC 7741)."""
    number = struct.pack("!H", 1 << 15 | picture)
    return [payload[:2] + number + payload[4:] for payload in payloads]


def video_encoder(
    codec: RTCRtpCodecParameters, downlink: Downlink, *, nvenc: bool = False
) -> VideoEncoder | None:
    """Our encoder for a negotiated codec, `None` where aiortc's own will do."""
    if codec.name == "VP8":
        return Vp8(downlink)
    if codec.name == "H264":
        return H264(downlink, [Nvenc(), X264()] if nvenc else [X264()])
    return None


def _timestamp(timed: VideoFrame | Packet[Any]) -> int:
    assert timed.pts is not None
    assert timed.time_base is not None
    return convert_timebase(timed.pts, timed.time_base, VIDEO_TIME_BASE)

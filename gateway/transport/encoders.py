"""aiortc's video encoders with our bit rates; aiortc 1.16 has module constants only.

VP8 runs between 0.25 and 1.5 Mbit/s there, H.264 between 0.5 and 3, and both start at the slow
end. The encoder itself is unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from gateway.transport import hidden


@dataclass(frozen=True, slots=True)
class Downlink:
    """Bits per second of an outgoing video."""

    start: int
    minimum: int
    maximum: int

    def clamp(self, bitrate: int) -> int:
        """Within the limits."""
        return max(self.minimum, min(bitrate, self.maximum))


class Vp8(Vp8Encoder):
    """VP8 within a `Downlink`."""

    def __init__(self, downlink: Downlink) -> None:
        super().__init__()
        self._downlink = downlink
        self.target_bitrate = downlink.start

    @property
    def target_bitrate(self) -> int:
        """Bits per second; what the receiver estimates (REMB) is written here."""
        bitrate: int = hidden.read(self, Vp8Encoder, "target_bitrate")
        return bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        hidden.write(self, Vp8Encoder, "target_bitrate", self._downlink.clamp(bitrate))


class H264(H264Encoder):
    """H.264 within a `Downlink`."""

    def __init__(self, downlink: Downlink) -> None:
        super().__init__()
        self._downlink = downlink
        self.target_bitrate = downlink.start

    @property
    def target_bitrate(self) -> int:
        """Bits per second; what the receiver estimates (REMB) is written here."""
        bitrate: int = hidden.read(self, H264Encoder, "target_bitrate")
        return bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        hidden.write(self, H264Encoder, "target_bitrate", self._downlink.clamp(bitrate))


def video_encoder(codec: RTCRtpCodecParameters, downlink: Downlink) -> Encoder | None:
    """Our encoder for a negotiated codec, `None` where aiortc's own will do."""
    if codec.name == "VP8":
        return Vp8(downlink)
    if codec.name == "H264":
        return H264(downlink)
    return None

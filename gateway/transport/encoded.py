"""Senders that take frames which somebody else encoded, for several of them at once.

aiortc 1.16 hands whatever a track gives, unless it is a frame, to `pack` of the sender's encoder;
what the receiver estimates is written to that encoder as well, but its requests for key frames go
nowhere then.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.codecs.base import Encoder

from gateway.transport import hidden


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFrame:
    """One frame, ready to be sent to anybody."""

    payloads: list[bytes]
    """Of RTP; nobody may change them."""
    timestamp: int
    """In units of 1/90000 s."""
    key: bool
    """Whether it can be decoded without the frames before."""


class EncodedTrack(MediaStreamTrack):
    """A video track whose `recv` gives what the encoder that it brings along can `pack`."""

    kind = "video"

    @abstractmethod
    def agree(self, codec: str) -> Encoder:
        """The codec is negotiated, "VP8" or "H264"; returns what the sender takes for an encoder.

        Bit rates are written to its `target_bitrate`, shares of lost packets given to its `lost`.
        """

    @abstractmethod
    def need_key_frame(self) -> None:
        """The receiver asks for one (PLI, FIR)."""


def send_encoded(sender: RTCRtpSender, track: EncodedTrack, codec: str) -> None:
    """Make a sender that was given this track take its frames as they are."""
    hidden.write(sender, RTCRtpSender, "encoder", track.agree(codec))
    hidden.replace(sender, "_send_keyframe", track.need_key_frame)

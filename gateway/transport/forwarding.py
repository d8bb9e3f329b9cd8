"""Sound on its way out: as it came where the listener takes its codec, else encoded anew.

aiortc 1.16 gives all packets that an encoder makes of one frame the same timestamp, and knows
nothing of the codec that a packet from a track is in.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, Final

import av
from aiortc import RTCRtpSender
from aiortc.codecs import get_encoder
from aiortc.codecs.base import Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import compute_audio_level_dbov
from av import AudioFrame

from gateway.transport import hidden
from gateway.transport.sound import RATE, Sound, SoundDecoder

logger = logging.getLogger(__name__)

PACKET: Final = 0.02
"""Seconds of a packet that aiortc's encoders make."""


class Forwarding:
    """Stands in for what an audio sender does between its track and the network.

    Numbers of packets go on without a hole where one was lost on the way here, and only timestamps
    leap: what a listener reports as lost is then what was lost after us, and what conceals a gap
    goes by timestamps.
    """

    def __init__(self, sender: RTCRtpSender) -> None:
        self._sender = sender
        self._encoder: Encoder | None = None
        self._decoder: SoundDecoder | None = None
        self._shift: int | None = None
        """Timestamps of what is encoded less those of the encoder, which may count from zero."""
        self._ready: deque[RTCEncodedFrame] = deque()

    def install(self) -> None:
        """Put it on the sender."""
        hidden.replace(self._sender, "_next_encoded_frame", self.next)

    async def next(self, codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        """The next packet to send in this codec, `None` if there is none for now."""
        if self._ready:
            return self._ready.popleft()
        # Typed by aiortc as what it can send itself.
        data: Any = await self._sender.track.recv()
        if not self._sender._enabled:
            return None
        if isinstance(data, Sound) and data.codec.mimeType.lower() == codec.mimeType.lower():
            self._encoder = self._decoder = None
            timestamp = data.pts * codec.clockRate // RATE
            # aiortc leaves the level out where it is `None`.
            level: Any = data.level
            return RTCEncodedFrame([data.payload], timestamp, level)
        # Not on the loop; aiortc's own encoding goes to the same threads.
        loop = hidden.read(self._sender, RTCRtpSender, "loop")
        await loop.run_in_executor(None, self._encode, data, codec)
        return self._ready.popleft() if self._ready else None

    def _encode(self, data: Sound | AudioFrame, codec: RTCRtpCodecParameters) -> None:
        try:
            frames = self._decoded(data) if isinstance(data, Sound) else [data]
            for frame in frames:
                self._encode_frame(frame, codec)
        except (av.FFmpegError, ValueError) as error:
            # One packet of a stranger's: a gap, as if it had been lost.
            logger.debug("sound could not be encoded anew: %s", error)
            self._encoder = self._decoder = None

    def _decoded(self, sound: Sound) -> list[AudioFrame]:
        if self._decoder is None or self._decoder.codec != sound.codec:
            self._decoder = SoundDecoder(sound.codec)
            self._encoder = None
        return self._decoder.decode(sound)

    def _encode_frame(self, frame: AudioFrame, codec: RTCRtpCodecParameters) -> None:
        if self._encoder is None:
            self._encoder, self._shift = get_encoder(codec), None
        base = frame.time_base
        assert frame.pts is not None
        assert base is not None
        began = frame.pts * base.numerator * codec.clockRate // base.denominator
        level = compute_audio_level_dbov(frame)
        payloads, timestamp = self._encoder.encode(frame)
        if not payloads:
            return
        if self._shift is None:
            self._shift = began - timestamp
        step = round(PACKET * codec.clockRate)
        for number, payload in enumerate(payloads):
            at = timestamp + self._shift + number * step
            self._ready.append(RTCEncodedFrame([payload], at, level))

"""Sound that is received without being decoded.

Stands in for an audio receiver's decoder and its `JitterBuffer`, which holds four packets (80 ms)
before it gives the first. Packets are handed on as they come: whoever delays them to the picture
(`gateway.audio`) brings them into order meanwhile, and what is lost is a gap in their timestamps,
which the listener's own jitter buffer conceals better than anybody on the way could.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

from aiortc import RTCRtpReceiver
from aiortc.codecs import get_decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtp import RtpPacket
from av import AudioFrame

from gateway.capture import LEAP, Timeline
from gateway.transport import hidden
from gateway.transport.backlog import Decoded
from gateway.transport.incoming_track import incoming

RATE: Final = 48000
"""Ticks a second of all sound's timestamps, whatever the codec's."""
TIME_BASE: Final = Fraction(1, RATE)
FARTHEST: Final = 10.0
"""Seconds that timestamps may leap beyond the time that has passed."""
OPUS_FRAMES: Final = (
    *(480, 960, 1920, 2880) * 3,  # SILK
    *(480, 960) * 2,  # hybrid
    *(120, 240, 480, 960) * 4,  # CELT
)
"""Samples of a frame by the configuration in its first byte (RFC 6716, table 2)."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One packet of encoded sound."""

    payload: bytes
    """As it came."""
    pts: int
    """In ticks."""
    codec: RTCRtpCodecParameters
    level: int | None = None
    """Loudness as its sender says it (RFC 6464), from 0 to -127."""

    @property
    def time_base(self) -> Fraction:
        """As frames have it."""
        return TIME_BASE

    @property
    def duration(self) -> int:
        """Ticks."""
        return duration(self.codec, self.payload)


def duration(codec: RTCRtpCodecParameters, payload: bytes) -> int:
    """Ticks that a payload lasts."""
    if codec.name.lower() != "opus":
        # G.711 and G.722: a byte for each tick of their clock (RFC 3551, 4.5).
        return len(payload) * RATE // codec.clockRate
    if not payload:
        return 0
    frames = (1, 2, 2)[payload[0] & 3] if payload[0] & 3 < 3 else 0
    if not frames and len(payload) > 1:
        frames = payload[1] & 0x3F
    return frames * OPUS_FRAMES[payload[0] >> 3]


class SoundDecoder:
    """Sound into samples, for those who cannot take it as it is."""

    def __init__(self, codec: RTCRtpCodecParameters) -> None:
        self.codec = codec
        self._decoder = get_decoder(codec)

    def decode(self, sound: Sound) -> list[AudioFrame]:
        """Frames with timestamps of the codec's clock; raises `av.FFmpegError`."""
        pts = sound.pts * self.codec.clockRate // RATE
        return cast(list[AudioFrame], self._decoder.decode(JitterFrame(sound.payload, pts)))


class SoundReception:
    """One sound's packets on their way to its track."""

    def __init__(
        self,
        receiver: RTCRtpReceiver,
        timeline: Timeline,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.timeline = timeline
        self._receiver = receiver
        self._clock = clock or asyncio.get_running_loop().time
        self._source: tuple[int, str] | None = None
        """Whose packets they are, and in which codec."""
        self._newest = 0
        """The source's own timestamp of the newest packet, 32 bits."""
        self._pts = 0
        """The same in ours."""
        self._rate = RATE
        """Of the source's own timestamps."""
        self._heard = 0.0

    def install(self) -> None:
        """Put it on the receiver."""
        hidden.write(self._receiver, RTCRtpReceiver, "jitter_buffer", self)
        hidden.write(self._receiver, RTCRtpReceiver, "decoder_queue", self)
        hidden.write(self._receiver, RTCRtpReceiver, "stop_decoder", self.end)
        hidden.replace(self._receiver, "receive", self.receive)

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """As aiortc's, without a thread that decodes."""
        receiver = self._receiver
        if hidden.read(receiver, RTCRtpReceiver, "started"):
            return
        codecs = hidden.read(receiver, RTCRtpReceiver, "codecs")
        codecs.update({codec.payloadType: codec for codec in parameters.codecs})
        receiver.transport._register_rtp_receiver(receiver, parameters)
        # Cancelled and awaited by the receiver's `stop`.
        reporting = asyncio.ensure_future(receiver._run_rtcp())
        hidden.write(receiver, RTCRtpReceiver, "rtcp_task", reporting)
        hidden.write(receiver, RTCRtpReceiver, "started", True)

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """As aiortc's `JitterBuffer` is used; hands the packet on at once."""
        codec = hidden.read(self._receiver, RTCRtpReceiver, "codecs")[packet.payload_type]
        track = incoming(self._receiver)
        if packet.payload and track is not None:
            now = self._clock()
            pts = self._place(packet, codec, now)
            extension = packet.extensions.audio_level
            level = None if extension is None else -extension[1]
            sound = Sound(packet.payload, pts, codec, level)
            # It could be sent when its last sample was there.
            self.timeline.arrived((pts + sound.duration) / RATE, now)
            cast(Decoded, track._queue).push(sound)
        return False, None

    def seconds(self, ssrc: int, timestamp: int) -> float | None:
        """One of a source's own timestamps in seconds of ours, `None` if it is not heard."""
        if self._source is None or self._source[0] != ssrc:
            return None
        return (self._pts + self._since_newest(timestamp)) / RATE

    def end(self) -> None:
        """Nothing follows."""
        track = incoming(self._receiver)
        # An offer that is refused leaves a track that nobody reads, with aiortc's own queue.
        if track is not None and isinstance(track._queue, Decoded):
            track._queue.push(None)

    def _place(self, packet: RtpPacket, codec: RTCRtpCodecParameters, now: float) -> int:
        """The packet's time in ticks."""
        source = packet.ssrc, codec.mimeType
        elapsed = int((now - self._heard) * RATE)
        if self._source is None:
            pts = 0
        elif source != self._source:
            pts = self._pts + max(elapsed, 1)
        else:
            passed = self._since_newest(packet.timestamp)
            if passed < -LEAP * RATE or passed > elapsed + FARTHEST * RATE:
                # It counts from elsewhere now: a listener must not wait for hours.
                passed = max(elapsed, 1)
            elif passed < 0:
                # Overtaken by the newest.
                return self._pts + passed
            pts = self._pts + passed
        self._source, self._newest, self._pts, self._heard = source, packet.timestamp, pts, now
        self._rate = codec.clockRate
        return pts

    def _since_newest(self, timestamp: int) -> int:
        passed = (timestamp - self._newest + 0x80000000) % 0x100000000 - 0x80000000
        return passed * RATE // self._rate

"""A microphone that gives known packets."""

import asyncio
import time

from aiortc import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from gateway.transport.sound import Sound

OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000, channels=2, payloadType=96)
PCMU = RTCRtpCodecParameters(mimeType="audio/PCMU", clockRate=8000, channels=1, payloadType=0)

SHAPES = (
    (b"\x78", 960),  # 20 ms, mono
    (b"\x70", 480),  # 10 ms
    (b"\x7c", 960),  # 20 ms, stereo
    (b"\x10", 1920),  # 40 ms
    (b"\x18", 2880),  # 60 ms
    (b"\x79", 1920),  # 2 x 20 ms
    (b"\x7b\x03", 2880),  # 3 x 20 ms
)
"""Beginnings of Opus packets (RFC 6716, 3.1), and the samples of each."""


def numbered(number: int) -> bytes:
    """An Opus payload that nobody else sends."""
    head, _ = SHAPES[number % len(SHAPES)]
    return head + number.to_bytes(4, "big") + b"sound"


class RecordedMicrophone(MediaStreamTrack):
    """Gives numbered packets in their own time, of every length, with a pause now and then."""

    kind = "audio"

    def __init__(self, slow: float = 0.0) -> None:
        super().__init__()
        self.sent: list[Sound] = []
        self._slow = slow
        self._pts = 0
        self._began: float | None = None

    def captured(self, timestamp: float) -> float | None:
        """What it gives was captured `slow` seconds before."""
        return None if self._began is None else self._began - self._slow + timestamp

    async def recv(self) -> Sound:  # type: ignore[override]  # `Forwarding` sends it
        if self.readyState != "live":
            raise MediaStreamError
        if self._began is None:
            self._began = time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._pts / 48000 - time.monotonic()))
        number = len(self.sent)
        self.sent.append(Sound(numbered(number), self._pts, OPUS, -(number % 100)))
        self._pts += SHAPES[number % len(SHAPES)][1]
        if number % 10 == 9:
            # As in discontinuous transmission.
            self._pts += 4800
        return self.sent[-1]

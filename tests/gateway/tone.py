"""A microphone without a sound card."""

import asyncio
import time
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from av import AudioFrame


class Tone(MediaStreamTrack):
    """A microphone that hears 440 Hz."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0
        self._began: float | None = None

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if self._began is None:
            self._began = time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._sent / 48000 - time.monotonic()))
        at = np.arange(self._sent, self._sent + 960) / 48000
        samples = (8000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16)
        frame = AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = 48000
        frame.time_base = Fraction(1, 48000)
        frame.pts = self._sent
        self._sent += 960
        return frame

"""A microphone that hears a beep every second, and an ear that tells when one came back.

The beeps' flashes are the numbers on the card (`gateway.bench.card`): a beep begins with the frame
whose number falls on the whole second. A number survives where a flash of one frame could be
dropped, and says of every other frame how late it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from av import AudioFrame
from numpy.typing import NDArray

from gateway.bench.camera import Camera
from gateway.transport.sound import Sound, SoundDecoder

RATE: Final = 48000
PACKET: Final = 960
"""Samples; 20 ms, as browsers send."""
LASTS: Final = 0.1
"""Seconds of a beep."""
PITCH: Final = 1000
LOUD: Final = 16000
"""Amplitude in steps of 2**15."""
HEARD: Final = 4000
"""Amplitude from which it is the beep: codecs swing in before it, but not so far."""
QUIET: Final = 0.3
"""Seconds of silence before a beep."""


class Microphone(MediaStreamTrack):
    """Hears what happens before a camera."""

    kind = "audio"

    def __init__(self, camera: Camera, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._camera = camera
        self._clock = clock
        self._packets = 0

    def captured(self, timestamp: float) -> float:
        """When the sound of a timestamp of ours was made, for the sender's reports."""
        return self._camera.begin() + timestamp

    async def recv(self) -> AudioFrame:
        """The next packet when its last sample is there; see `MediaStreamTrack`."""
        if self.readyState != "live":
            raise MediaStreamError
        first = self._packets * PACKET
        self._packets += 1
        due = self._camera.begin() + self._packets * PACKET / RATE
        await asyncio.sleep(due - self._clock())
        frame = AudioFrame.from_ndarray(beeps(first, PACKET)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        return frame


def beeps(first: int, count: int) -> NDArray[np.int16]:
    """Samples of a sound that beeps at the beginning of every second, from the one numbered so."""
    within = np.arange(first, first + count) % RATE
    tone = LOUD * np.sin(2 * np.pi * PITCH * within / RATE)
    return np.where(within < LASTS * RATE, tone, 0).astype(np.int16)


class Ear:
    """Listens to a received sound all the time."""

    def __init__(self, camera: Camera) -> None:
        self.heard: list[tuple[int, float, float | None]] = []
        """Of every beep the second, monotonic seconds of its arrival, and those of its capture as
        the sender's reports say."""
        self._camera = camera
        self._decoder: SoundDecoder | None = None
        self._loud: float | None = None
        """Seconds of the sound's own time at which it was loud last."""

    async def listen(self, track: MediaStreamTrack) -> None:
        """Until the sound ends."""
        timeline = getattr(track, "timeline", None)
        with contextlib.suppress(MediaStreamError):
            while True:
                # Typed by aiortc as what it can send itself.
                sound: Any = await track.recv()
                self.take(sound, time.monotonic(), timeline.at if timeline is not None else None)

    def take(
        self, sound: Sound, now: float, captured: Callable[[float], float | None] | None = None
    ) -> None:
        """Take in one packet that arrived at `now`, when its first sample can be played."""
        if self._decoder is None or self._decoder.codec != sound.codec:
            self._decoder = SoundDecoder(sound.codec)
        began = sound.pts / RATE
        for frame in self._decoder.decode(sound):
            channels = frame.layout.nb_channels
            samples = frame.to_ndarray().reshape(-1)[::channels].astype(np.int32)
            (loud,) = np.nonzero(np.abs(samples) > HEARD)
            if not loud.size:
                continue
            onset = began + int(loud[0]) / frame.sample_rate
            if self._loud is not None and onset - self._loud > QUIET:
                at = now + onset - began
                second = int(at - self._camera.begin())
                self.heard.append((second, at, captured(onset) if captured else None))
            self._loud = began + int(loud[-1]) / frame.sample_rate

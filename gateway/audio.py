"""Sound on its way to watchers: untouched, but as late as the picture."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiortc import MediaStreamError, MediaStreamTrack
from av import AudioFrame

LONGEST: Final = 100
"""Frames of 20 ms kept for a watcher: the largest delay is two seconds."""
STALE: Final = 0.5
"""Seconds past its time after which sound is dropped instead of sent in a burst."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame of sound."""

    frame: AudioFrame
    arrived: float
    epoch: int


class AudioRelay:
    """One stream's microphone, handed to any number of watchers."""

    def __init__(
        self, delay: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._delay = delay
        self._clock = clock
        self._epoch = 0
        self._tracks: set[AudioTrack] = set()

    async def run(self, microphone: MediaStreamTrack) -> None:
        """Pass one microphone on until it ends."""
        self._epoch += 1
        while True:
            try:
                frame = await microphone.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, AudioFrame)
            heard = Heard(frame, self._clock(), self._epoch)
            for track in self._tracks:
                track.hear(heard)

    def subscribe(self) -> AudioTrack:
        """A track for one more watcher; it leaves by `stop`."""
        track = AudioTrack(self._delay, self._clock, self._tracks.discard)
        self._tracks.add(track)
        return track

    def close(self) -> None:
        """End all watchers' tracks."""
        for track in list(self._tracks):
            track.end()


class AudioTrack(MediaStreamTrack):
    """One watcher's sound, delayed by the latency of the picture."""

    kind = "audio"

    def __init__(
        self,
        delay: Callable[[], float],
        clock: Callable[[], float],
        leave: Callable[[AudioTrack], object],
    ) -> None:
        super().__init__()
        self._delay = delay
        self._clock = clock
        self._leave = leave
        self._heard: deque[Heard] = deque(maxlen=LONGEST)
        self._ready = asyncio.Event()
        self._ended = False
        self._epoch: int | None = None
        self._offset = 0
        self._next = 0

    def hear(self, heard: Heard) -> None:
        """Take a frame; the oldest makes room for it."""
        self._heard.append(heard)
        self._ready.set()

    def end(self) -> None:
        """Nothing follows."""
        self._ended = True
        self._ready.set()

    def stop(self) -> None:
        """Leave the relay."""
        super().stop()
        self._leave(self)

    async def recv(self) -> AudioFrame:
        """Wait for the next frame and until it is due."""
        while not self._heard:
            if self._ended or self.readyState != "live":
                self.stop()
                raise MediaStreamError
            self._ready.clear()
            await self._ready.wait()
        heard = self._heard.popleft()
        delay, now = self._delay(), self._clock()
        while self._heard and heard.arrived + delay + STALE < now:
            heard = self._heard.popleft()
        due = heard.arrived + delay
        if (wait := due - self._clock()) > 0:
            await asyncio.sleep(wait)
        return self._continued(heard)

    def _continued(self, heard: Heard) -> AudioFrame:
        frame = heard.frame
        assert frame.pts is not None
        if self._epoch != heard.epoch:
            # Another microphone counts from zero; go on where the last one ended.
            self._offset = 0 if self._epoch is None else self._next - frame.pts
            self._epoch = heard.epoch
        if self._offset:
            frame = _copied(frame, frame.pts + self._offset)
        assert frame.pts is not None
        self._next = frame.pts + frame.samples
        return frame


def _copied(frame: AudioFrame, pts: int) -> AudioFrame:
    # Other watchers hold the same frame: its timestamp is not ours to change.
    copy = AudioFrame.from_ndarray(
        frame.to_ndarray(), format=frame.format.name, layout=frame.layout.name
    )
    copy.sample_rate = frame.sample_rate
    copy.time_base = frame.time_base
    copy.pts = pts
    return copy

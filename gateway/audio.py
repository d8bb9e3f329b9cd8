"""Sound on its way to watchers: untouched, but as late as the picture.

A picture takes a tenth of a second through here, its sound no time at all. Each watcher's sound is
held until what was captured together with it has left for that watcher: a player that shows and
plays what arrives when it arrives is in time, and one that goes by the sender's reports
(`gateway.transport.reports`), as browsers do, has nothing left to correct. While they wait, packets
get back into the order in which they were sent; one that is missing by then is a gap.
"""

from __future__ import annotations

import asyncio
import bisect
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import av
from aiortc import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from gateway.capture import captured
from gateway.transport.sound import RATE, Sound, SoundDecoder

LONGEST: Final = 200
"""Packets kept for a watcher: the largest delay in packets of 10 ms, browsers send 20."""
MOST: Final = 2.0
"""Seconds that sound is delayed at most, whatever clocks say."""
LEAD: Final = 0.02
"""Seconds that sound leaves before its picture: every player holds a packet of sound at least, and
Chromium two, where it shows a picture at once."""
STALE: Final = 0.5
"""Seconds past its time after which sound is dropped instead of sent in a burst."""

Lag = Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Heard:
    """One packet or frame of sound."""

    sound: Sound | AudioFrame
    """Packets wherever the source gives them; frames of samples from sources that have no other."""
    pts: int
    """In ticks of 1/48000 s."""
    arrived: float
    captured: float
    """Monotonic seconds, see `gateway.capture`."""
    epoch: int
    """Counts the microphones of a stream: timestamps of different epochs cannot be compared."""

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the order of all sound."""
        return self.epoch, self.pts


class DelayLine:
    """Sound that waits for its picture, in order."""

    def __init__(self) -> None:
        self._waiting: list[Heard] = []
        self._last = (0, 0)

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, heard: Heard) -> None:
        """Take it in, unless it came twice or what follows it has left; the oldest makes room."""
        place = bisect.bisect_left(self._waiting, heard.place, key=lambda each: each.place)
        twice = place < len(self._waiting) and self._waiting[place].place == heard.place
        if twice or heard.place <= self._last:
            return
        self._waiting.insert(place, heard)
        del self._waiting[:-LONGEST]

    def wait(self, lag: float, now: float) -> float | None:
        """Seconds until the first may leave, `None` of nothing."""
        if not self._waiting:
            return None
        first = self._waiting[0]
        return min(first.captured + lag - LEAD, first.arrived + MOST) - now

    def take(self, lag: float, now: float) -> Heard | None:
        """The first, if it may leave; what is too late by then is dropped."""
        wait = self.wait(lag, now)
        while wait is not None and wait < -STALE and len(self._waiting) > 1:
            del self._waiting[0]
            wait = self.wait(lag, now)
        if wait is None or wait > 0:
            return None
        heard = self._waiting.pop(0)
        self._last = heard.place
        return heard


class AudioRelay:
    """One stream's microphone, handed to any number of watchers."""

    def __init__(
        self, delay: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`delay` is the lag of the picture for watchers of whom nothing better is known."""
        self._delay = delay
        self._clock = clock
        self._epoch = 0
        self._tracks: set[AudioTrack] = set()

    async def run(self, microphone: MediaStreamTrack) -> None:
        """Pass one microphone on until it ends."""
        self._epoch += 1
        epoch = self._epoch
        while True:
            try:
                # Typed by aiortc as what it can send itself.
                sound: Any = await microphone.recv()
            except MediaStreamError:
                return
            assert isinstance(sound, Sound | AudioFrame)
            base = sound.time_base
            assert sound.pts is not None
            assert base is not None
            now = self._clock()
            pts = sound.pts * base.numerator * RATE // base.denominator
            heard = Heard(sound, pts, now, captured(microphone, sound, now), epoch)
            for track in list(self._tracks):
                track.hear(heard)

    def subscribe(self, lag: Lag = lambda: None) -> AudioTrack:
        """A track for one more watcher, which gives packets to send on; it leaves by `stop`.

        `lag` is how long after its capture the picture leaves for this watcher, if that is known.
        """
        return self._added(AudioTrack(self._lag(lag), self._clock, self._leave))

    def subscribe_decoded(self, lag: Lag = lambda: None) -> AudioTrack:
        """The same for somebody who needs samples: the track gives frames, made on threads."""
        return self._added(DecodedTrack(self._lag(lag), self._clock, self._leave))

    def close(self) -> None:
        """End all watchers' tracks."""
        for track in list(self._tracks):
            track.end()

    def _lag(self, lag: Lag) -> Callable[[], float]:
        def known() -> float:
            found = lag()
            return self._delay() if found is None else found

        return known

    def _added(self, track: AudioTrack) -> AudioTrack:
        self._tracks.add(track)
        return track

    def _leave(self, track: AudioTrack) -> None:
        self._tracks.discard(track)


class AudioTrack(MediaStreamTrack):
    """One watcher's sound, as late as their picture."""

    kind = "audio"

    def __init__(
        self,
        lag: Callable[[], float],
        clock: Callable[[], float],
        leave: Callable[[AudioTrack], object],
    ) -> None:
        super().__init__()
        self._lag = lag
        self._clock = clock
        self._leave = leave
        self._line = DelayLine()
        self._changed = asyncio.Event()
        self._ended = False
        self._epoch: int | None = None
        self._offset = 0
        self._given: tuple[int, float] | None = None
        """The newest timestamp given, in ticks, and when that was captured."""
        self._end = 0
        """Where that packet ends."""

    def hear(self, heard: Heard) -> None:
        """Take a packet."""
        self._line.put(heard)
        self._changed.set()

    def end(self) -> None:
        """Nothing follows."""
        self._ended = True
        self._changed.set()

    def stop(self) -> None:
        """Leave the relay."""
        super().stop()
        self._leave(self)
        self._changed.set()

    def captured(self, timestamp: float) -> float | None:
        """When a timestamp of ours, in seconds, was captured, for the sender's reports."""
        if self._given is None:
            return None
        pts, at = self._given
        return at + timestamp - pts / RATE

    async def recv(self) -> Sound | AudioFrame:  # type: ignore[override]  # `Forwarding` sends it
        """Wait for the next packet until it is due."""
        while self.readyState == "live":
            lag, now = self._lag(), self._clock()
            heard = self._line.take(lag, now)
            if heard is not None:
                return self._continued(heard)
            wait = self._line.wait(lag, now)
            if wait is None and self._ended:
                break
            self._changed.clear()
            # Woken early by what may have been overtaken and be due before.
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue
        self.stop()
        raise MediaStreamError

    def _continued(self, heard: Heard) -> Sound | AudioFrame:
        if self._epoch != heard.epoch:
            self._offset = 0
            if self._given is not None:
                # Another microphone counts from zero: go on as much later as it was captured.
                pts, at = self._given
                later = pts + round((heard.captured - at) * RATE)
                self._offset = max(later, self._end) - heard.pts
            self._epoch = heard.epoch
        pts = heard.pts + self._offset
        self._given = pts, heard.captured
        sound = heard.sound
        if isinstance(sound, Sound):
            self._end = pts + sound.duration
            return replace(sound, pts=pts) if self._offset else sound
        self._end = pts + sound.samples * RATE // sound.sample_rate
        return _copied(sound, pts * sound.sample_rate // RATE) if self._offset else sound


class DecodedTrack(AudioTrack):
    """The same as samples."""

    def __init__(
        self,
        lag: Callable[[], float],
        clock: Callable[[], float],
        leave: Callable[[AudioTrack], object],
    ) -> None:
        super().__init__(lag, clock, leave)
        self._decoder: SoundDecoder | None = None
        self._frames: deque[AudioFrame] = deque()

    async def recv(self) -> AudioFrame:
        """Wait for the next frame until it is due."""
        while not self._frames:
            sound = await super().recv()
            if isinstance(sound, AudioFrame):
                return sound
            if self._decoder is None or self._decoder.codec != sound.codec:
                self._decoder = SoundDecoder(sound.codec)
            try:
                self._frames += await asyncio.to_thread(self._decoder.decode, sound)
            except (av.FFmpegError, ValueError):
                # A gap, as if it had been lost.
                self._decoder = None
        return self._frames.popleft()


def _copied(frame: AudioFrame, pts: int) -> AudioFrame:
    # Other watchers hold the same frame: its timestamp is not ours to change.
    copy = AudioFrame.from_ndarray(
        frame.to_ndarray(), format=frame.format.name, layout=frame.layout.name
    )
    copy.sample_rate = frame.sample_rate
    copy.time_base = frame.time_base
    copy.pts = pts
    return copy

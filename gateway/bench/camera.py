"""A camera that never waits for whoever is slow, and a viewer that reads what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from gateway.bench import card
from gateway.bench.reel import Reel
from gateway.capture import Timeline
from gateway.planar_frame import planar_frame

TIME_BASE: Final = Fraction(1, 90000)


class Camera(MediaStreamTrack):
    """Shows a reel at its own rate; a frame that nobody fetched in time is gone."""

    kind = "video"

    def __init__(self, reel: Reel, fps: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.person = False
        """Whether somebody holds up the card; else the room is empty."""
        self.handed: list[tuple[int, float]] = []
        """Number and monotonic seconds of every numbered frame given to the encoder."""
        self.skipped = 0
        """Frames that the encoder had no time for, with the person or without."""
        self.tick = -1
        self._reel = reel
        self._fps = fps
        self._clock = clock
        self._began: float | None = None

    def begin(self) -> float:
        """The monotonic second of the first frame, now if there was none yet."""
        if self._began is None:
            self._began = self._clock()
        return self._began

    def captured(self, timestamp: float) -> float:
        """When a timestamp of ours, in seconds, was captured, for the sender's reports."""
        return self.begin() + timestamp

    async def recv(self) -> VideoFrame:
        """The next frame when it is due, or the newest if that is past; see `MediaStreamTrack`."""
        if self.readyState != "live":
            raise MediaStreamError
        began = self.begin()
        newest = int((self._clock() - began) * self._fps)
        self.skipped += max(0, newest - self.tick - 1)
        self.tick = max(self.tick + 1, newest)
        frame = planar_frame(self._pixels())
        frame.pts = round(self.tick / self._fps / TIME_BASE)
        frame.time_base = TIME_BASE
        await asyncio.sleep(began + self.tick / self._fps - self._clock())
        if self.person:
            self.handed.append((self.tick, self._clock()))
        return frame

    def _pixels(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return self._reel.numbered(self.tick) if self.person else self._reel.plain(self.tick)


class Viewer:
    """Looks at a received video all the time and reads the numbers of one camera."""

    def __init__(self, camera: Camera) -> None:
        self.frames = 0
        self.unread = 0
        """Frames without a readable number: backdrop alone, or too damaged."""
        self.repeated = 0
        """Frames with a number that had been seen: stills that keep a connection alive."""
        self.sizes: set[tuple[int, int]] = set()
        self.seen: list[tuple[int, float]] = []
        """Number and monotonic seconds of every composite, first sight only."""
        self.dated: list[float | None] = []
        """For each of `seen`, when it was captured, as the sender's reports say."""
        self.ended = False
        """Whether the video has ended."""
        self._camera = camera
        self._last = -1

    async def watch(self, track: MediaStreamTrack) -> None:
        """Until the video ends."""
        timeline = getattr(track, "timeline", None)
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                self.look(frame, time.monotonic(), timeline)
        self.ended = True

    def look(self, frame: VideoFrame, now: float, timeline: Timeline | None = None) -> None:
        """Take in one decoded frame that arrived at `now`."""
        self.frames += 1
        self.sizes.add((frame.width, frame.height))
        read = card.read(luma(frame))
        if read is None:
            self.unread += 1
            return
        number = card.unwrap(read, self._camera.tick)
        if number <= self._last:
            self.repeated += 1
            return
        self._last = number
        self.seen.append((number, now))
        if timeline is None or frame.pts is None:
            self.dated.append(None)
        else:
            self.dated.append(timeline.at(float(frame.pts * TIME_BASE)))


def luma(frame: VideoFrame) -> card.Luma:
    """The luma plane of a decoded frame, (H, W), not copied."""
    plane = frame.planes[0]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: frame.height, : frame.width]

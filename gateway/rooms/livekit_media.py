"""Frames from and to LiveKit's own client. Needs the package `livekit`, an optional extra."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Final, cast

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from livekit import rtc

from gateway.planar_frame import planar_frame
from models.report import I420

MICROSECONDS: Final = Fraction(1, 1_000_000)


class SdkCamera(MediaStreamTrack):
    """A subscribed track: frames as they come, upright, yuv420p, timed in microseconds."""

    kind = "video"

    def __init__(self, frames: rtc.VideoStream) -> None:
        super().__init__()
        self._frames = frames
        self._ended = asyncio.get_running_loop().create_future()

    def stop(self) -> None:
        """No more frames, also for who waits for one."""
        super().stop()
        if not self._ended.done():
            self._ended.set_result(None)

    async def recv(self) -> VideoFrame:
        """Wait for the next frame; raises `MediaStreamError` at the end."""
        if self.readyState != "live":
            raise MediaStreamError
        coming = asyncio.ensure_future(anext(self._frames))
        try:
            await asyncio.wait((coming, self._ended), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise MediaStreamError
            event = coming.result()
        except StopAsyncIteration:
            self.stop()
            raise MediaStreamError from None
        finally:
            coming.cancel()
        return await asyncio.to_thread(_read, event)


class SdkScreen:
    """A published track."""

    def __init__(self, source: rtc.VideoSource) -> None:
        self._source = source

    async def put(self, pixels: I420) -> None:
        """The next picture; it is copied before this returns."""
        await asyncio.to_thread(self._put, pixels)

    def _put(self, pixels: I420) -> None:
        height, width = pixels.shape[0] * 2 // 3, pixels.shape[1]
        frame = rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, pixels.tobytes())
        self._source.capture_frame(frame)


def upright(frame: rtc.VideoFrame, quarters: int) -> I420:
    """Planes of a frame, cropped to an even size and turned clockwise by quarters of a circle.

    A phone held upright sends lying frames and says so; networks know upright people only.
    """
    width, height = frame.width, frame.height
    data = np.frombuffer(frame.data, np.uint8)
    columns, rows = (width + 1) // 2, (height + 1) // 2
    luma = data[: width * height].reshape(height, width)
    chroma = data[width * height :][: 2 * columns * rows].reshape(2, rows, columns)
    planes = (
        luma[: height // 2 * 2, : width // 2 * 2],
        *(each[: height // 2, : width // 2] for each in chroma),
    )
    turned = [np.rot90(plane, -quarters) for plane in planes]
    flat = np.concatenate([plane.reshape(-1) for plane in turned])
    return flat.reshape(-1, turned[0].shape[1])


def _read(event: rtc.VideoFrameEvent) -> VideoFrame:
    """Some milliseconds for a large frame: not for the event loop."""
    frame = planar_frame(upright(event.frame, cast(int, event.rotation)))
    frame.pts, frame.time_base = event.timestamp_us, MICROSECONDS
    return frame

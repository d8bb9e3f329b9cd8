"""A LiveKit room by LiveKit's own client. Needs the package `livekit`, an optional extra."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any, Final, cast

import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from livekit import rtc

from gateway.relays.calls import CallFailed
from gateway.relays.leg import Hopeless
from gateway.rooms.livekit_link import Camera, Encoding, LinkLost, Person
from models.report import I420

MICROSECONDS: Final = Fraction(1, 1_000_000)
SUBSCRIBED_WITHIN: Final = 10.0
"""Seconds that LiveKit may take to send a track that was asked for."""
EVENTS: Final[tuple[Any, ...]] = (
    "participant_connected",
    "participant_disconnected",
    "participant_name_changed",
    "track_published",
    "track_unpublished",
    "track_subscribed",
    "track_unsubscribed",
    "track_subscription_failed",
    "track_muted",
    "track_unmuted",
    "reconnected",
)
"""After any of these the room may be another one."""
FINAL: Final = {
    rtc.DisconnectReason.DUPLICATE_IDENTITY: "somebody joined under the gateway's identity",
    rtc.DisconnectReason.PARTICIPANT_REMOVED: "somebody removed the gateway from the room",
    rtc.DisconnectReason.ROOM_DELETED: "the room was deleted",
}
"""Somebody decided it: coming back would be a quarrel."""


@contextlib.asynccontextmanager
async def joined(url: str, token: str, encoding: Encoding) -> AsyncIterator[SdkLink]:
    """Enter, and leave at the end; raises `LinkLost` or `Hopeless`."""
    room = rtc.Room()
    link = SdkLink(room, encoding)
    try:
        # Only cameras are asked for, one by one: others' sound and screens cost for nothing.
        await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False, dynacast=True))
    except rtc.ConnectError as error:
        if any(code in error.message for code in ("401", "403")):
            raise Hopeless(f"LiveKit refuses the token: {error.message}") from error
        raise LinkLost(f"LiveKit cannot be reached: {error.message}") from error
    try:
        yield link
    finally:
        await room.disconnect()


class SdkLink:
    """A joined room."""

    def __init__(self, room: rtc.Room, encoding: Encoding) -> None:
        self._room = room
        self._encoding = encoding
        self._news = asyncio.Event()
        self._changed = asyncio.Event()
        self._end: LinkLost | Hopeless | None = None
        for event in EVENTS:
            room.on(event, self._hear)
        room.on("disconnected", self._lost)

    def people(self) -> tuple[Person, ...]:
        """Everybody else who is there now."""
        return tuple(
            Person(each.identity, each.name, _cameras(each))
            for each in self._room.remote_participants.values()
        )

    async def changed(self) -> None:
        """Wait until `people` may have changed; raises `LinkLost` or `Hopeless`."""
        await self._news.wait()
        self._news.clear()
        if self._end is not None:
            raise self._end

    @contextlib.asynccontextmanager
    async def watching(self, camera: Camera) -> AsyncIterator[MediaStreamTrack]:
        """Subscribe meanwhile; raises `CallFailed`."""
        publication = self._publication(camera)
        publication.set_subscribed(True)
        try:
            async with asyncio.timeout(SUBSCRIBED_WITHIN):
                while (track := publication.track) is None:
                    changed = self._changed
                    await changed.wait()
        except TimeoutError:
            publication.set_subscribed(False)
            raise CallFailed(f"no track came within {SUBSCRIBED_WITHIN:g} s") from None
        # Late video is lost, never queued.
        frames = rtc.VideoStream(track, capacity=1, format=rtc.VideoBufferType.I420)
        video = SdkCamera(frames)
        try:
            yield video
        finally:
            video.stop()
            await frames.aclose()
            publication.set_subscribed(False)

    @contextlib.asynccontextmanager
    async def showing(self, name: str, width: int, height: int) -> AsyncIterator[SdkScreen]:
        """Publish a track meanwhile; raises `CallFailed`."""
        source = rtc.VideoSource(width, height)
        track = rtc.LocalVideoTrack.create_video_track(name, source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            simulcast=True,
            video_encoding=rtc.VideoEncoding(
                max_bitrate=self._encoding.bitrate, max_framerate=self._encoding.rate
            ),
        )
        here = self._room.local_participant
        try:
            try:
                published = await here.publish_track(track, options)
            except rtc.participant.PublishTrackError as error:
                raise CallFailed(f"LiveKit does not take the composite: {error}") from error
            try:
                yield SdkScreen(source)
            finally:
                with contextlib.suppress(rtc.participant.UnpublishTrackError):
                    if self._end is None:
                        await here.unpublish_track(published.sid)
        finally:
            await source.aclose()

    def _publication(self, camera: Camera) -> rtc.RemoteTrackPublication:
        for person in self._room.remote_participants.values():
            if camera.sid in person.track_publications:
                return person.track_publications[camera.sid]
        raise CallFailed("the camera is not there any more")

    def _hear(self, *_: object) -> None:
        self._news.set()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _lost(self, reason: Any = None) -> None:
        if reason in FINAL:
            self._end = Hopeless(FINAL[reason])
        else:
            self._end = LinkLost("LiveKit ended the connection")
        self._hear()


class SdkCamera(MediaStreamTrack):
    """A subscribed track: frames as they come, upright, yuv420p, timed in microseconds."""

    kind = "video"

    def __init__(self, frames: rtc.VideoStream) -> None:
        super().__init__()
        self._frames = frames

    async def recv(self) -> VideoFrame:
        """Wait for the next frame; raises `MediaStreamError` at the end."""
        if self.readyState != "live":
            raise MediaStreamError
        try:
            event = await anext(self._frames)
        except StopAsyncIteration:
            self.stop()
            raise MediaStreamError from None
        pixels = upright(event.frame, cast(int, event.rotation))
        frame = VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts, frame.time_base = event.timestamp_us, MICROSECONDS
        return frame


class SdkScreen:
    """A published track."""

    def __init__(self, source: rtc.VideoSource) -> None:
        self._source = source

    def put(self, pixels: I420) -> None:
        """The next picture; it is copied before this returns."""
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


def _cameras(person: rtc.RemoteParticipant) -> tuple[Camera, ...]:
    wanted = (rtc.TrackSource.SOURCE_CAMERA, rtc.TrackSource.SOURCE_UNKNOWN)
    return tuple(
        Camera(each.sid, each.name, each.width, each.height)
        for each in person.track_publications.values()
        if each.kind == rtc.TrackKind.KIND_VIDEO and each.source in wanted and not each.muted
    )

"""A LiveKit room by LiveKit's own client. Needs the package `livekit`, an optional extra."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from aiortc import MediaStreamTrack
from livekit import rtc

from gateway.owned_tasks import OwnedTasks
from gateway.relays.calls import CallFailed
from gateway.relays.leg import Hopeless
from gateway.rooms.livekit_link import Camera, Encoding, LinkLost, Person, Token
from gateway.rooms.livekit_media import SdkCamera, SdkScreen

logger = logging.getLogger(__name__)

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
)
"""After any of these the room may be another one."""
FINAL: Final = {
    rtc.DisconnectReason.DUPLICATE_IDENTITY: "somebody joined under the gateway's identity",
    rtc.DisconnectReason.PARTICIPANT_REMOVED: "somebody removed the gateway from the room",
    rtc.DisconnectReason.ROOM_DELETED: "the room was deleted",
}
"""Somebody decided it: coming back would be a quarrel."""
OPTIONS: Final = rtc.RoomOptions(
    # Only cameras are asked for, one by one: others' sound and screens cost for nothing.
    auto_subscribe=False,
    dynacast=True,
    # With one for both directions, and where the machine is busy, a track that is received falls
    # silent now and then when another is published: `livekit` 1.2.1.
    single_peer_connection=False,
)


@contextlib.asynccontextmanager
async def joined(url: str, token: Token, encoding: Encoding) -> AsyncIterator[SdkLink]:
    """Enter, and leave at the end; raises `LinkLost` or `Hopeless`."""
    room = rtc.Room()
    link = SdkLink(room, token, encoding)
    try:
        await room.connect(url, token.value, OPTIONS)
    except rtc.ConnectError as error:
        # As in "client error: 401 Unauthorized - ", and then the server's own words.
        status = re.search(r"error: (\d{3}) ", error.message)
        if status is not None and status[1] in ("401", "403"):
            raise Hopeless(f"LiveKit refuses the token: {error.message}") from error
        raise LinkLost(f"LiveKit cannot be reached: {error.message}") from error
    try:
        yield link
    finally:
        await link.close()
        await room.disconnect()


class SdkLink:
    """A joined room."""

    def __init__(self, room: rtc.Room, token: Token, encoding: Encoding) -> None:
        self._room = room
        self._token = token
        self._encoding = encoding
        self._news = asyncio.Event()
        self._changed = asyncio.Event()
        self._end: LinkLost | Hopeless | None = None
        self._standing = asyncio.Event()
        """Cleared while LiveKit's client mends a connection that broke."""
        self._standing.set()
        self._before: tuple[Person, ...] = ()
        """Who was there when it broke."""
        self._watched: dict[str, SdkCamera] = {}
        """By the sid of the track."""
        self._tasks = OwnedTasks()
        for event in EVENTS:
            room.on(event, self._hear)
        room.on("track_unsubscribed", self._over)
        room.on("reconnecting", self._break)
        room.on("reconnected", self._mend)
        room.on("token_refreshed", self._renew)
        room.on("disconnected", self._lost)

    async def close(self) -> None:
        """Before the room is left."""
        await self._tasks.close()

    def people(self) -> tuple[Person, ...]:
        """Everybody else who is there now."""
        if not self._standing.is_set():
            # Meanwhile LiveKit's client takes everybody out of the room, and then in again.
            return self._before
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
        # What is asked for sooner is not sent.
        await self._standing.wait()
        publication = self._publication(camera)
        publication.set_subscribed(True)
        try:
            track = await self._subscribed(publication)
            # Late video is lost, never queued.
            frames = rtc.VideoStream(track, capacity=1, format=rtc.VideoBufferType.I420)
            video = self._watched[camera.sid] = SdkCamera(frames)
            try:
                yield video
            finally:
                del self._watched[camera.sid]
                video.stop()
                await frames.aclose()
        finally:
            publication.set_subscribed(False)

    async def _subscribed(self, publication: rtc.RemoteTrackPublication) -> rtc.RemoteTrack:
        try:
            async with asyncio.timeout(SUBSCRIBED_WITHIN):
                while (track := publication.track) is None:
                    changed = self._changed
                    await changed.wait()
        except TimeoutError:
            raise CallFailed(f"no track came within {SUBSCRIBED_WITHIN:g} s") from None
        return track

    @contextlib.asynccontextmanager
    async def showing(self, name: str, width: int, height: int) -> AsyncIterator[SdkScreen]:
        """Publish a track meanwhile; raises `CallFailed`."""
        await self._standing.wait()
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
        publishing = asyncio.ensure_future(here.publish_track(track, options))
        try:
            try:
                # Who does not wait any more must not stop it: it would be in the room all the same.
                await asyncio.shield(publishing)
            except rtc.participant.PublishTrackError as error:
                raise CallFailed(f"LiveKit does not take the composite: {error}") from error
            yield SdkScreen(source)
        finally:
            # Not waited for, as it lasts until a connection that broke stands again.
            self._tasks.start(self._withdraw(publishing, source))

    async def _withdraw(
        self, publishing: asyncio.Future[rtc.LocalTrackPublication], source: rtc.VideoSource
    ) -> None:
        errors = rtc.participant.PublishTrackError, rtc.participant.UnpublishTrackError
        async with contextlib.aclosing(source):
            with contextlib.suppress(*errors):
                published = await publishing
                await self._standing.wait()
                # Its id may be another one than at first, after a connection that broke.
                await self._room.local_participant.unpublish_track(published.sid)

    def _publication(self, camera: Camera) -> rtc.RemoteTrackPublication:
        for person in self._room.remote_participants.values():
            if camera.sid in person.track_publications:
                return person.track_publications[camera.sid]
        raise CallFailed("the camera is not there any more")

    def _hear(self, *_: object) -> None:
        self._news.set()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _over(self, _track: object, publication: rtc.RemoteTrackPublication, _: object) -> None:
        # The stream of frames does not end by itself for who waits for one.
        if (video := self._watched.get(publication.sid)) is not None:
            video.stop()

    def _break(self) -> None:
        logger.warning("the connection to LiveKit broke; its client is trying again")
        self._before = self.people()
        self._standing.clear()

    def _mend(self) -> None:
        logger.warning("the connection to LiveKit stands again")
        self._standing.set()
        self._hear()

    def _renew(self) -> None:
        # The event does not bring it, and the room has no public name for it.
        self._token.value = self._room._token or self._token.value

    def _lost(self, reason: Any = None) -> None:
        if reason in FINAL:
            self._end = Hopeless(FINAL[reason])
        else:
            self._end = LinkLost("LiveKit ended the connection")
        self._hear()


def _cameras(person: rtc.RemoteParticipant) -> tuple[Camera, ...]:
    wanted = (rtc.TrackSource.SOURCE_CAMERA, rtc.TrackSource.SOURCE_UNKNOWN)
    return tuple(
        Camera(
            each.sid,
            each.name,
            each.width,
            each.height,
            encrypted=each.encryption_type != rtc.EncryptionType.NONE,
        )
        for each in person.track_publications.values()
        if each.kind == rtc.TrackKind.KIND_VIDEO and each.source in wanted and not each.muted
    )

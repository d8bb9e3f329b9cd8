"""The command `livekit` in a room of a real LiveKit: `make test-livekit`, for whoever has one.

Not tried yet: the server could not be had where this was written. It wants four variables,

    LIVEKIT_URL                ws://HOST:7880 or wss://HOST
    CLEANPLATE_LIVEKIT_TOKEN   of the gateway's participant
    LIVEKIT_PUBLISHER_TOKEN    of the person who is matted
    LIVEKIT_VIEWER_TOKEN       of somebody else in the room

three tokens for one empty room, each for another identity, with the grants `roomJoin`,
`canSubscribe` and `canPublish`; `lk token create --join --room R --identity I` makes them.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from gateway.rooms.livekit_link import MARK
from tests.sfu.film import CLIP, HILLS, FilmCamera
from tests.sfu.program import Program, running
from tests.sfu.sight import PATIENCE, Sight

pytestmark = [pytest.mark.livekit, pytest.mark.timeout(600)]

NEWS: tuple[Any, ...] = (
    "participant_connected",
    "participant_disconnected",
    "track_published",
    "track_unpublished",
    "track_subscribed",
)


@dataclass(frozen=True)
class Server:
    """Somebody's LiveKit, and how to get in."""

    url: str
    publisher: str
    viewer: str


@pytest.fixture
def server() -> Server:
    names = ("LIVEKIT_URL", "LIVEKIT_PUBLISHER_TOKEN", "LIVEKIT_VIEWER_TOKEN")
    absent = [each for each in (*names, "CLEANPLATE_LIVEKIT_TOKEN") if not os.environ.get(each)]
    if absent:
        pytest.fail(f"set {', '.join(absent)}: tests/sfu/test_livekit.py says to what", False)
    return Server(*(os.environ[each] for each in names))


class Guest:
    """Somebody in the room by LiveKit's own client."""

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self._news = asyncio.Event()
        for event in NEWS:
            room.on(event, lambda *_: self._news.set())

    @property
    def title(self) -> str:
        """How the gateway calls them."""
        return self.room.local_participant.name or self.room.local_participant.identity

    def tracks(self, name: str) -> list[rtc.RemoteTrackPublication]:
        """What others publish under this name."""
        return [
            track
            for person in self.room.remote_participants.values()
            for track in person.track_publications.values()
            if track.name == name
        ]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something to happen in the room."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{self.title} waited {PATIENCE:.0f} s for {what}") from None


@contextlib.asynccontextmanager
async def joined(url: str, token: str) -> AsyncIterator[Guest]:
    """Be in the room until the end of the block."""
    room = rtc.Room()
    guest = Guest(room)
    await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
    try:
        yield guest
    finally:
        await room.disconnect()


@contextlib.asynccontextmanager
async def publishing(guest: Guest, camera: FilmCamera) -> AsyncIterator[None]:
    """Their camera in the room, as LiveKit's own client sends it."""
    source = rtc.VideoSource(CLIP.width, CLIP.height)

    async def send() -> None:
        while True:
            planes = (await camera.recv()).to_ndarray(format="yuv420p")
            frame = rtc.VideoFrame(
                CLIP.width, CLIP.height, rtc.VideoBufferType.I420, planes.tobytes()
            )
            source.capture_frame(frame)

    here = guest.room.local_participant
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
    sending = asyncio.create_task(send())
    try:
        track = rtc.LocalVideoTrack.create_video_track("camera", source)
        published = await here.publish_track(track, options)
        yield
        await here.unpublish_track(published.sid)
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        await source.aclose()


@contextlib.asynccontextmanager
async def watching(guest: Guest, name: str) -> AsyncIterator[Sight]:
    """What somebody else in the room sees of a track."""
    (publication,) = guest.tracks(name)
    publication.set_subscribed(True)
    await guest.until(lambda: publication.track is not None, f"the track {name}")
    assert publication.track is not None
    frames = rtc.VideoStream(publication.track, capacity=1, format=rtc.VideoBufferType.RGB24)
    sight = Sight("a participant")

    async def look() -> None:
        async for event in frames:
            frame = event.frame
            pixels = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.width, 3)
            await sight.take(pixels)

    looking = asyncio.create_task(look())
    try:
        yield sight
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        await frames.aclose()


@contextlib.asynccontextmanager
async def adapter(url: str, who: str, folder: Path) -> AsyncIterator[Program]:
    """The command, as an operator starts it; its token is in the environment."""
    command = [sys.executable, "-m", "gateway", "livekit", "--url", url, "--participants", who]
    options = ["--plate", "first", "--backdrop", HILLS.id]
    async with running("cleanplate livekit", [*command, *options], folder) as program:
        yield program


async def test_a_composite_stands_beside_its_publisher_and_leaves_with_them(
    server: Server, tmp_path: Path
):
    camera = FilmCamera()
    async with (
        joined(server.url, server.publisher) as ada,
        joined(server.url, server.viewer) as viewer,
        adapter(server.url, ada.room.local_participant.identity, tmp_path) as command,
    ):
        await command.until_said("in the room")
        composite = ada.title + MARK
        async with publishing(ada, camera):
            await command.until_said(f"shown as {composite}")
            await command.until_said("plate: ready")
            await viewer.until(lambda: viewer.tracks(composite), "the composite")
            async with watching(viewer, composite) as eye:
                await eye.sees_only_the_backdrop()
                camera.person = True
                await eye.sees_the_person_before_the_backdrop()
                eye.never_saw_the_room()
            assert len(viewer.tracks(composite)) == 1, "nobody mattes a composite again"
        await viewer.until(lambda: not viewer.tracks(composite), "nobody's composite")

"""A LiveKit of our own: one room, its real signalling, real media over loopback, and trouble."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from aiortc import MediaStreamTrack
from livekit.protocol import models, rtc

from tests.gateway.grey_camera import GreyCamera
from tests.gateway.livekit_visit import Composite, Visit

HEARTBEAT = 5
"""Seconds between a client's pings."""


@dataclass
class Guest:
    """Somebody who is in the room, for the test."""

    info: models.ParticipantInfo
    camera: GreyCamera = field(default_factory=GreyCamera)
    """As the newest subscriber is sent it."""


class LiveKitServer:
    """What LiveKit's own client needs of LiveKit."""

    def __init__(self) -> None:
        self.guests: dict[str, Guest] = {}
        """By identity."""
        self.visits: list[Visit] = []
        """Those who are connected."""
        self.past: list[Visit] = []
        """Those who were."""
        self.tokens: list[str] = []
        """With which they came."""
        self.refusal: int | None = None
        """HTTP status for whoever wants to come."""
        self.excuse = "not now"
        self.url = ""
        self._sids = itertools.count(1)
        self._sockets: set[web.WebSocketResponse] = set()
        self._closing: list[asyncio.Task[None]] = []

    @property
    def shown(self) -> list[Composite]:
        """All that visitors publish now."""
        return [each for visit in self.visits for each in visit.composites]

    async def arrive(
        self, identity: str, name: str, *tracks: str, encrypted: bool = False
    ) -> Guest:
        """Somebody comes, or has other tracks than before."""
        kind = models.Encryption.GCM if encrypted else models.Encryption.NONE
        sid = (
            self.guests[identity].info.sid if identity in self.guests else f"PA_{next(self._sids)}"
        )
        info = models.ParticipantInfo(
            sid=sid,
            identity=identity,
            name=name,
            state=models.ParticipantInfo.ACTIVE,
            tracks=[
                models.TrackInfo(
                    sid=f"TR_{next(self._sids)}",
                    type=models.VIDEO,
                    name=track,
                    source=models.CAMERA,
                    width=320,
                    height=240,
                    encryption=kind,
                )
                for track in tracks
            ],
        )
        self.guests[identity] = Guest(info)
        await self._tell(info)
        return self.guests[identity]

    async def mute(self, identity: str, muted: bool) -> None:
        """Somebody turns their camera off, as most clients do it, or on again."""
        info = self.guests[identity].info
        for track in info.tracks:
            track.muted = muted
        await self._tell(info)

    async def depart(self, identity: str) -> None:
        info = self.guests.pop(identity).info
        info.state = models.ParticipantInfo.DISCONNECTED
        await self._tell(info)

    async def say(self, **message: object) -> None:
        """One message to everybody."""
        for visit in self.visits:
            await visit.say(**message)

    async def hang_up(self) -> None:
        """Lose all connections, without a word."""
        for socket in list(self._sockets):
            await socket.close()

    async def dismiss(self, reason: "models.DisconnectReason") -> None:
        """Send everybody out of the room."""
        await self.say(leave=rtc.LeaveRequest(reason=reason, action=rtc.LeaveRequest.DISCONNECT))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        if self.refusal is not None:
            return await self.validate(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        visit = Visit(socket, self._sids, self._open)
        if "reconnect" in request.query:
            # As LiveKit does with those whom it knows no more: they come anew.
            anew = rtc.LeaveRequest(reason=models.STATE_MISMATCH, action=rtc.LeaveRequest.RECONNECT)
            await visit.say(leave=anew)
            return socket
        await self._welcome(visit)
        self._sockets.add(socket)
        self.visits.append(visit)
        try:
            await visit.begin()
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    await visit.hear(rtc.SignalRequest.FromString(message.data))
        finally:
            self._sockets.discard(socket)
            self.visits.remove(visit)
            self.past.append(visit)
            # The request is cancelled with its connection: the rest is somebody else's task.
            self._closing.append(asyncio.create_task(visit.close()))
        return socket

    async def validate(self, request: web.Request) -> web.Response:
        """Clients ask here why they were refused."""
        return web.Response(status=self.refusal or 200, text=self.excuse)

    async def _welcome(self, visit: Visit) -> None:
        await visit.say(
            join=rtc.JoinResponse(
                room=models.Room(sid="RM_1", name="studio"),
                participant=models.ParticipantInfo(
                    sid=f"PA_{next(self._sids)}",
                    identity="cleanplate",
                    state=models.ParticipantInfo.JOINED,
                    permission=models.ParticipantPermission(can_subscribe=True, can_publish=True),
                ),
                other_participants=[guest.info for guest in self.guests.values()],
                server_version="1.9.0",
                server_info=models.ServerInfo(version="1.9.0", protocol=16),
                ping_interval=HEARTBEAT,
                ping_timeout=3 * HEARTBEAT,
                subscriber_primary=True,
            )
        )

    def _open(self, sid: str) -> tuple[str, MediaStreamTrack] | None:
        for guest in self.guests.values():
            if any(track.sid == sid for track in guest.info.tracks):
                person = guest.camera.person
                guest.camera = GreyCamera()
                guest.camera.person = person
                return guest.info.sid, guest.camera
        return None

    async def _tell(self, info: models.ParticipantInfo) -> None:
        await self.say(update=rtc.ParticipantUpdate(participants=[info]))


@contextlib.asynccontextmanager
async def livekit_server() -> AsyncIterator[LiveKitServer]:
    """It listens on a free port of 127.0.0.1."""
    livekit = LiveKitServer()
    app = web.Application()
    app.router.add_get("/rtc", livekit.serve)
    app.router.add_get("/rtc/validate", livekit.validate)
    server = TestServer(app)
    await server.start_server()
    livekit.url = str(server.make_url("/").with_scheme("ws"))
    try:
        yield livekit
    finally:
        await livekit.hang_up()
        await server.close()
        await asyncio.gather(*livekit._closing)

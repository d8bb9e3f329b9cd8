"""A Janus of our own: one room, real media over loopback, and trouble on demand."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from aiortc import RTCSessionDescription
from yarl import URL

from gateway.owned_tasks import OwnedTasks
from gateway.transport.connection import Connection
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.loopback import TUNING, Screen
from tests.gateway.tone import Tone

ROOM = 1234


@dataclass
class Guest:
    """Somebody who publishes in the room."""

    id: int
    display: str
    camera: GreyCamera = field(default_factory=GreyCamera)
    """As the newest subscriber is sent it."""
    screen: Screen = field(default_factory=Screen)
    """What they send, if it is the gateway that sends it."""

    def about(self) -> dict[str, Any]:
        return {"id": self.id, "display": self.display, "streams": [{"type": "video", "mid": "0"}]}


class ScriptedJanus:
    """What the gateway needs of Janus and of its VideoRoom."""

    def __init__(self) -> None:
        self.guests: dict[int, Guest] = {}
        """Those whom the test lets in."""
        self.shown: list[Guest] = []
        """Composites that the gateway publishes."""
        self.messages: list[dict[str, Any]] = []
        self.pin: str | None = None
        self.away = False
        """Whether nobody is let in."""
        self.nonsense: set[int] = set()
        """Ids of those whose subscribers are told what no Janus says."""
        self.silent: set[str] = set()
        """Kinds of messages that are not answered."""
        self.numberless = False
        """Whether no handle is told its number."""
        self.nameless = 0
        """How many of the next composites are not told their id."""
        self.sounds = False
        """Whether everybody has a microphone."""
        self.url = URL()
        self._numbers = itertools.count(100)
        self._sockets: set[web.WebSocketResponse] = set()
        self._handles: dict[int, tuple[web.WebSocketResponse, int]] = {}
        self._controls: set[int] = set()
        self._connections: dict[int, Connection] = {}
        self._publishing: dict[int, Guest] = {}
        self._tasks = OwnedTasks()

    async def arrive(self, display: str, beside: Sequence[object] = ()) -> Guest:
        """Somebody begins to publish; the same event announces whatever is `beside` them."""
        guest = Guest(next(self._numbers), display)
        await self.come_back(guest, beside)
        return guest

    async def come_back(self, guest: Guest, beside: Sequence[object] = ()) -> None:
        """Somebody publishes again, under the same id."""
        self.guests[guest.id] = guest
        await self.announce({"publishers": [*beside, guest.about()]})

    def bodies(self, request: str) -> list[dict[str, Any]]:
        """Of all requests of this kind that the room was sent."""
        bodies = [each["body"] for each in self.messages if each["janus"] == "message"]
        return [each for each in bodies if each["request"] == request]

    async def depart(self, guest: Guest) -> None:
        del self.guests[guest.id]
        await self.announce({"leaving": guest.id})

    async def unpublish(self, guest: Guest) -> None:
        """Somebody turns their camera off and stays."""
        del self.guests[guest.id]
        await self.announce({"unpublished": guest.id})

    async def drop(self) -> None:
        """The server loses everybody's connection."""
        for socket in list(self._sockets):
            await socket.close()

    async def say(self, text: str) -> None:
        """Whatever it is, to everybody."""
        for socket in self._sockets:
            await socket.send_str(text)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        if self.away:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(protocols=("janus-protocol",))
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._answer(socket, message.json())
        finally:
            self._sockets.discard(socket)
            # The request is cancelled with its connection: the rest is somebody else's task.
            for handle in [h for h, (owner, _) in self._handles.items() if owner is socket]:
                self._tasks.start(self._close(handle))
        return socket

    async def _answer(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        self.messages.append(message)
        kind, session = message["janus"], message.get("session_id")
        if kind in self.silent:
            return
        reply: dict[str, Any] = {"janus": "success", "transaction": message["transaction"]}
        if kind == "create":
            reply["data"] = {"id": next(self._numbers)}
        elif kind == "attach":
            handle = next(self._numbers)
            self._handles[handle] = (socket, session)
            reply["data"] = {} if self.numberless else {"id": handle}
        elif kind == "keepalive":
            reply["janus"] = "ack"
        elif kind == "detach":
            await self._close(message["handle_id"])
        elif kind == "message":
            # As Janus does it: an acknowledgement first, the answer as an event.
            await socket.send_json(reply | {"janus": "ack", "session_id": session})
            reply = await self._in_room(message) | {"transaction": message["transaction"]}
        elif kind != "destroy":
            reply = reply | {"janus": "error", "error": {"code": 457, "reason": "Unknown"}}
        await socket.send_json(reply)

    async def _in_room(self, message: dict[str, Any]) -> dict[str, Any]:
        handle, body = message["handle_id"], message["body"]
        wanted, role = body["request"], body.get("ptype")
        if wanted == "join" and body.get("pin") != self.pin:
            return self._event(handle, {"error_code": 433, "error": "Unauthorized (wrong pin)"})
        if wanted == "join" and role == "publisher":
            number = next(self._numbers)
            if body["display"] == "Cleanplate":
                self._controls.add(handle)
            else:
                self._publishing[handle] = Guest(number, body["display"])
                if self.nameless:
                    self.nameless -= 1
                    return self._event(handle, {"videoroom": "joined"})
            return self._event(
                handle,
                {
                    "videoroom": "joined",
                    "id": number,
                    "private_id": 7,
                    "publishers": [guest.about() for guest in self.guests.values()],
                },
            )
        if wanted == "join":
            guest = self.guests.get(body["streams"][0]["feed"])
            if guest is None:
                return self._event(handle, {"error_code": 428, "error": "No such feed"})
            if guest.id in self.nonsense:
                return self._event(handle, {"videoroom": "attached"}) | {"jsep": 7}
            connection = self._connections[handle] = Connection(TUNING)
            guest.camera = GreyCamera()
            connection.addTransceiver(guest.camera, "sendonly")
            if self.sounds:
                connection.addTransceiver(Tone(), "sendonly")
            await connection.setLocalDescription(await connection.createOffer())
            return self._event(handle, {"videoroom": "attached"}, connection)
        connection = self._connections.get(handle) or Connection(TUNING)
        if wanted == "start":
            answer = message["jsep"]["sdp"]
            await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            return self._event(handle, {"videoroom": "event", "started": "ok"})
        assert wanted == "configure"
        guest = self._publishing[handle]
        self._connections[handle] = connection

        def look(track: Any) -> None:
            self._tasks.start(guest.screen.watch(track))

        connection.on("track", look)
        offer = RTCSessionDescription(message["jsep"]["sdp"], "offer")
        await connection.setRemoteDescription(offer)
        await connection.setLocalDescription(await connection.createAnswer())
        self.shown.append(guest)
        await self.announce({"publishers": [guest.about()]})
        return self._event(handle, {"videoroom": "event", "configured": "ok"}, connection)

    def _event(
        self, handle: int, data: Any, connection: Connection | None = None
    ) -> dict[str, Any]:
        event: dict[str, Any] = {"janus": "event", "sender": handle, "plugindata": {"data": data}}
        if connection is not None:
            description = connection.localDescription
            event["jsep"] = {"type": description.type, "sdp": description.sdp}
        return event

    async def announce(self, data: Any) -> None:
        """Whatever it is, as an event in the room."""
        for handle in self._controls:
            await self._handles[handle][0].send_json(self._event(handle, data))

    async def _close(self, handle: int) -> None:
        self._handles.pop(handle, None)
        self._controls.discard(handle)
        self.shown = [each for each in self.shown if each is not self._publishing.get(handle)]
        if (connection := self._connections.pop(handle, None)) is not None:
            await connection.close()
            await connection.join_decoders()

    async def close(self) -> None:
        await self.drop()
        for handle in {*self._handles, *self._connections}:
            await self._close(handle)
        await self._tasks.close()


@contextlib.asynccontextmanager
async def scripted_janus() -> AsyncIterator[ScriptedJanus]:
    """It listens on a free port of 127.0.0.1."""
    janus = ScriptedJanus()
    app = web.Application()
    app.router.add_get("/", janus.serve)
    server = TestServer(app)
    await server.start_server()
    janus.url = URL(str(server.make_url("/"))).with_scheme("ws")
    try:
        yield janus
    finally:
        await janus.close()
        await server.close()

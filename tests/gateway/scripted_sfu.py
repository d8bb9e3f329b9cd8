"""Somebody else's server: serves a camera over WHEP, takes a composite over WHIP, does as told."""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiortc import MediaStreamTrack

from gateway.peer import Peer
from gateway.sdp import Reach, read_offer
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.loopback import TUNING, Screen
from tests.gateway.tone import Tone

REACH = Reach(loopback=True)


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    token: str | None
    if_match: str | None
    kind: str


class ScriptedSfu:
    """`/whep/cam` and `/whip/out`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.refusals: dict[str, deque[web.Response]] = {"whep": deque(), "whip": deque()}
        """What the next POSTs are answered instead."""
        self.links: list[str] = []
        """`Link` headers of answers to OPTIONS."""
        self.counters = False
        """Whether WHEP makes counter-offers, as Janus does."""
        self.sounds = False
        self.shows = True
        self.cameras: list[GreyCamera] = []
        self.screen = Screen()
        self.sound = Screen()
        self.sessions: dict[str, dict[str, Peer]] = {"whep": {}, "whip": {}}
        self._person = False
        self._tasks: list[asyncio.Task[None]] = []
        self.server: TestServer

    @property
    def person(self) -> bool:
        """Whether somebody stands before the camera."""
        return self._person

    @person.setter
    def person(self, there: bool) -> None:
        self._person = there
        for camera in self.cameras:
            camera.person = there

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))

    def counts(self, method: str, protocol: str) -> int:
        """How often it was asked so."""
        return sum(
            each.method == method and each.path.startswith(f"/{protocol}") for each in self.asked
        )

    async def drop(self, protocol: str) -> None:
        """Lose all sessions, as a server does that starts anew."""
        peers = list(self.sessions[protocol].values())
        self.sessions[protocol].clear()
        for peer in peers:
            await peer.close()

    def fall_silent(self) -> None:
        """The cameras send nothing any more; the connections stand."""
        for camera in self.cameras:
            camera.fps = 0.0001

    async def post(self, request: web.Request) -> web.Response:
        protocol = request.match_info["protocol"]
        self._note(request)
        if self.refusals[protocol]:
            return self.refusals[protocol].popleft()
        peer, name = Peer(TUNING, reach=REACH), secrets.token_hex(4)
        self.sessions[protocol][name] = peer
        offer = read_offer(await request.text(), reach=REACH, max_candidates=64)
        headers = {"Location": f"/{protocol}/session/{name}", "ETag": f'"{name}"'}
        if protocol == "whip":
            answer = await peer.answer(offer, {})
            for track, screen in ((peer.video, self.screen), (peer.audio, self.sound)):
                if track is not None:
                    self._tasks.append(asyncio.create_task(screen.watch(track)))
        elif self.counters:
            counter = await peer.offer(self._outgoing())
            return web.Response(
                status=406, text=counter, content_type="application/sdp", headers=headers
            )
        else:
            answer = await peer.answer(offer, self._outgoing())
        return web.Response(
            status=201, text=answer, content_type="application/sdp", headers=headers
        )

    async def patch(self, request: web.Request) -> web.Response:
        self._note(request)
        peer = self.sessions[request.match_info["protocol"]][request.match_info["session"]]
        await peer.accept(await request.text())
        return web.Response(status=204)

    async def delete(self, request: web.Request) -> web.Response:
        self._note(request)
        sessions = self.sessions[request.match_info["protocol"]]
        peer = sessions.pop(request.match_info["session"], None)
        if peer is None:
            return web.Response(status=404)
        await peer.close()
        return web.Response(status=200)

    async def options(self, request: web.Request) -> web.Response:
        self._note(request)
        response = web.Response(status=204)
        for link in self.links:
            response.headers.add("Link", link)
        return response

    async def close(self) -> None:
        for protocol in self.sessions:
            await self.drop(protocol)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.server.close()

    def _outgoing(self) -> dict[str, MediaStreamTrack]:
        if not self.shows:
            return {"audio": Tone()}
        camera = GreyCamera()
        camera.person = self._person
        self.cameras.append(camera)
        return {"video": camera, "audio": Tone()} if self.sounds else {"video": camera}

    def _note(self, request: web.Request) -> None:
        headers = request.headers
        self.asked.append(
            Asked(
                request.method,
                request.path,
                headers.get("Authorization"),
                headers.get("If-Match"),
                headers.get("Content-Type", ""),
            )
        )


@contextlib.asynccontextmanager
async def sfu() -> AsyncIterator[ScriptedSfu]:
    """One that listens on 127.0.0.1."""
    made = ScriptedSfu()
    app = web.Application()
    session = "/{protocol}/session/{session}"
    app.add_routes(
        [
            web.post("/{protocol}/{name}", made.post),
            web.options("/{protocol}/{name}", made.options),
            web.patch(session, made.patch),
            web.delete(session, made.delete),
        ]
    )
    made.server = TestServer(app)
    await made.server.start_server()
    try:
        yield made
    finally:
        await made.close()

"""Servers that try the suite: one that makes counter-offers, and one that does much wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from tests.conformance.endpoint import SDP, Endpoint
from tests.conformance.player import MovingBar, gather_on_loopback


class CounterOffering:
    """A WHEP endpoint that, like Janus's for a VideoRoom, answers 406 with an offer of its own."""

    def __init__(self) -> None:
        self._connections: dict[str, RTCPeerConnection] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/whep", self.offer),
            web.patch("/sessions/{id}", self.answer),
            web.delete("/sessions/{id}", self.end),
        ]

    async def offer(self, request: web.Request) -> web.Response:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTransceiver(MovingBar(), "sendonly")
        description = await connection.createOffer()
        gather_on_loopback(connection)
        await connection.setLocalDescription(description)
        name = str(len(self._connections))
        self._connections[name] = connection
        return web.Response(
            status=406,
            body=connection.localDescription.sdp.encode(),
            content_type=SDP,
            headers={"Location": f"/sessions/{name}"},
        )

    async def answer(self, request: web.Request) -> web.Response:
        text = await request.text()
        if not text.startswith("v=0"):
            return web.Response(status=400)
        connection = self._connections[request.match_info["id"]]
        await connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
        return web.Response(status=204)

    async def end(self, request: web.Request) -> web.Response:
        connection = self._connections[request.match_info["id"]]
        gone = connection.connectionState == "closed"
        await connection.close()
        return web.Response(status=404 if gone else 200)

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))


class Careless:
    """A WHIP endpoint that takes anything from anybody."""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/whip", self.created), web.delete("/session", self.deleted)]

    async def created(self, request: web.Request) -> web.Response:
        return web.Response(
            status=201, text="v=0\n", content_type=SDP, headers={"Location": "/session"}
        )

    async def deleted(self, request: web.Request) -> web.Response:
        return web.Response(status=200)

    async def close(self) -> None:
        """Nothing is held."""


@contextlib.asynccontextmanager
async def at(odd: CounterOffering | Careless, kind: str) -> AsyncIterator[Endpoint]:
    """The endpoint of such a server."""
    app = web.Application()
    app.add_routes(odd.routes())
    server = TestServer(app)
    await server.start_server()
    try:
        async with aiohttp.ClientSession() as http:
            url = str(server.make_url(f"/{kind}"))
            yield Endpoint(kind, url, http)
    finally:
        await odd.close()
        await server.close()

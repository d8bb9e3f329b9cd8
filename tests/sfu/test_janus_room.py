"""The command `janus` in a VideoRoom of a real Janus."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from yarl import URL

from gateway.rooms.janus_seat import MARK
from gateway.rooms.janus_session import Janus
from tests.sfu.film import FilmCamera
from tests.sfu.janus import ROOM, janus
from tests.sfu.probe import ALONE, seeing
from tests.sfu.program import Program, running
from tests.sfu.sight import Sight

pytestmark = pytest.mark.sfu

WEBSOCKET = URL("ws://127.0.0.1:8188")
ADA = "Ada"


@contextlib.asynccontextmanager
async def publishing(session: Janus, camera: FilmCamera) -> AsyncIterator[None]:
    """Ada's camera in the room, as a page that uses Janus's own library would send it."""
    handle = await session.attach()
    peer = RTCPeerConnection(ALONE)
    peer.addTransceiver(camera, "sendonly")
    try:
        await handle.ask({"request": "join", "ptype": "publisher", "room": ROOM, "display": ADA})
        await peer.setLocalDescription(await peer.createOffer())
        jsep = {"type": "offer", "sdp": peer.localDescription.sdp, "trickle": False}
        reply = await handle.ask({"request": "configure", "video": True, "audio": False}, jsep)
        await peer.setRemoteDescription(RTCSessionDescription(reply.jsep or "", "answer"))
        yield
    finally:
        await peer.close()
        await handle.detach()


@contextlib.asynccontextmanager
async def watching(session: Janus, feed: int) -> AsyncIterator[Sight]:
    """What somebody else in the room sees of a publisher."""
    handle = await session.attach()
    peer = RTCPeerConnection(ALONE)
    try:
        reply = await handle.ask(
            {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": feed}]}
        )
        await peer.setRemoteDescription(RTCSessionDescription(reply.jsep or "", "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        jsep = {"type": "answer", "sdp": peer.localDescription.sdp, "trickle": False}
        await handle.ask({"request": "start"}, jsep)
        async with seeing(peer.getReceivers()[0].track, "a participant") as sight:
            yield sight
    finally:
        await peer.close()
        await handle.detach()


@contextlib.asynccontextmanager
async def adapter(folder: Path) -> AsyncIterator[Program]:
    """The command, as an operator starts it."""
    command = [sys.executable, "-m", "gateway", "janus", "--url", str(WEBSOCKET)]
    options = ["--room", str(ROOM), "--plate", "first", "--backdrop", "hills"]
    async with running("cleanplate janus", [*command, *options], folder) as program:
        yield program


async def test_a_composite_stands_beside_its_publisher_and_leaves_with_them(tmp_path: Path):
    camera = FilmCamera()
    async with (
        janus(tmp_path) as server,
        Janus(WEBSOCKET) as session,
        adapter(tmp_path) as command,
    ):
        await command.until_said(f"in room {ROOM}")
        async with publishing(session, camera):
            await command.until_said(f"shown as {ADA}{MARK}")
            await command.until_said("plate: ready")
            async with watching(session, await server.publisher(ADA + MARK)) as eye:
                await eye.sees_only_the_backdrop()
                camera.person = True
                await eye.sees_the_person_before_the_backdrop()
                eye.never_saw_the_room()
            assert len(await server.publishers()) == 2, "nobody mattes a composite again"
        await command.until_said(f"{ADA}: gone")
        async with asyncio.timeout(30):
            while await server.publishers():
                await command.pause()

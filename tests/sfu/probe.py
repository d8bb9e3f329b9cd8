"""Plain clients of WHIP and WHEP, made of aiortc alone: nothing of the gateway's is in them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urljoin

import aiohttp
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)

from tests.sfu.sight import Sight

ALONE = RTCConfiguration(iceServers=[])
"""Nobody is asked for our address; aiortc's default asks a third party."""
SDP = "application/sdp"
TRIES = 60
"""A stream that is not live yet is asked for once a second."""


def bearer(token: str | None) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


@contextlib.asynccontextmanager
async def publishing(
    url: str,
    camera: MediaStreamTrack,
    *,
    token: str | None = None,
    configuration: RTCConfiguration = ALONE,
) -> AsyncIterator[RTCPeerConnection]:
    """Send the camera to a WHIP endpoint until the end of the block."""
    peer = RTCPeerConnection(configuration)
    peer.addTransceiver(camera, "sendonly")
    async with (
        aiohttp.ClientSession(headers=bearer(token)) as http,
        contextlib.AsyncExitStack() as stack,
    ):
        stack.push_async_callback(peer.close)
        await peer.setLocalDescription(await peer.createOffer())
        async with http.post(
            url, data=peer.localDescription.sdp, headers={"Content-Type": SDP}
        ) as response:
            answer = await response.text()
            assert response.status == 201, f"{response.status} {answer}"
            location = urljoin(str(response.url), response.headers["Location"])
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await stack.enter_async_context(_session(http, location))
        yield peer


@contextlib.asynccontextmanager
async def receiving(
    url: str, *, token: str | None = None, configuration: RTCConfiguration = ALONE
) -> AsyncIterator[MediaStreamTrack]:
    """The track of a WHEP endpoint, until the end of the block; a counter-offer is answered."""
    async with (
        aiohttp.ClientSession(headers=bearer(token)) as http,
        contextlib.AsyncExitStack() as stack,
    ):
        peer = RTCPeerConnection(configuration)
        stack.push_async_callback(peer.close)
        peer.addTransceiver("video", "recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        status, text, location = await _ask(http, url, peer.localDescription.sdp)
        if status == 201:
            await peer.setRemoteDescription(RTCSessionDescription(text, "answer"))
        else:
            # The server's offer is another negotiation: a fresh connection answers it.
            peer = RTCPeerConnection(configuration)
            stack.push_async_callback(peer.close)
            await peer.setRemoteDescription(RTCSessionDescription(text, "offer"))
            await peer.setLocalDescription(await peer.createAnswer())
            async with http.patch(
                location, data=peer.localDescription.sdp, headers={"Content-Type": SDP}
            ) as response:
                assert response.status == 204, f"{response.status} {await response.text()}"
        await stack.enter_async_context(_session(http, location))
        yield peer.getReceivers()[0].track


@contextlib.asynccontextmanager
async def seeing(track: MediaStreamTrack, name: str) -> AsyncIterator[Sight]:
    """Look at a track until the end of the block."""
    sight = Sight(name)
    looking = asyncio.create_task(sight.watch(track))
    try:
        yield sight
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


@contextlib.asynccontextmanager
async def watching(
    url: str,
    *,
    name: str,
    token: str | None = None,
    configuration: RTCConfiguration = ALONE,
) -> AsyncIterator[Sight]:
    """Look at what a WHEP endpoint sends, until the end of the block."""
    async with (
        receiving(url, token=token, configuration=configuration) as track,
        seeing(track, name) as sight,
    ):
        yield sight


async def _ask(http: aiohttp.ClientSession, url: str, offer: str) -> tuple[int, str, str]:
    """Status, description and session URL; waits while nobody publishes (409)."""
    for _ in range(TRIES):
        async with http.post(url, data=offer, headers={"Content-Type": SDP}) as response:
            text = await response.text()
            if response.status in (201, 406):
                return response.status, text, urljoin(url, response.headers["Location"])
            assert response.status == 409, f"{response.status} {text}"
        await asyncio.sleep(float(response.headers.get("Retry-After", "1")))
    raise AssertionError(f"nobody publishes at {url}")


@contextlib.asynccontextmanager
async def _session(http: aiohttp.ClientSession, location: str) -> AsyncIterator[None]:
    """Say goodbye at the end, as a client should."""
    try:
        yield
    finally:
        async with http.delete(location) as response:
            assert response.status in (200, 204, 404), f"DELETE is answered {response.status}"

"""LiveKit's own client against a server of the test's own."""

import asyncio

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiortc import MediaStreamError
from livekit import rtc

from gateway.relays.leg import Hopeless
from gateway.rooms.livekit_link import Encoding, Token
from gateway.rooms.livekit_media import SdkCamera, SdkScreen
from gateway.rooms.livekit_sdk import joined


async def test_a_refused_token_is_hopeless():
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=401, text="invalid token")

    app = web.Application()
    app.router.add_get("/{path:.*}", refuse)
    async with TestServer(app) as server:
        url = str(server.make_url("/").with_scheme("ws"))
        with pytest.raises(Hopeless, match="token"):
            async with joined(url, Token("expired"), Encoding(1_000_000, 30)):
                pass


class Silent:
    """Frames of a track that sends none, and never ends by itself either."""

    def __aiter__(self) -> "Silent":
        return self

    async def __anext__(self) -> rtc.VideoFrameEvent:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


async def test_who_waits_for_a_frame_is_told_when_the_track_ends():
    camera = SdkCamera(Silent())
    waiting = asyncio.create_task(camera.recv())
    await asyncio.sleep(0)
    camera.stop()
    with pytest.raises(MediaStreamError):
        await waiting
    with pytest.raises(MediaStreamError):
        await camera.recv()


async def test_pictures_may_change_their_size():
    source = rtc.VideoSource(320, 240)
    screen = SdkScreen(source)
    for width, height in ((320, 240), (160, 120)):
        await screen.put(np.zeros((height * 3 // 2, width), np.uint8))
    await source.aclose()

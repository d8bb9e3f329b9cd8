"""LiveKit's own client against a server of the test's own."""

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import rtc

from gateway.relays.leg import Hopeless
from gateway.rooms.livekit_link import Encoding, Token
from gateway.rooms.livekit_media import SdkScreen
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


async def test_pictures_may_change_their_size():
    source = rtc.VideoSource(320, 240)
    screen = SdkScreen(source)
    for width, height in ((320, 240), (160, 120)):
        screen.put(np.zeros((height * 3 // 2, width), np.uint8))
    await source.aclose()

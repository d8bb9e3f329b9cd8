"""The page that a browser opens, and what it says: pictures, codec, failures."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

import cv2
import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.sfu.film import frames
from tests.sfu.sight import Sight
from tests.sfu.stream import TOKEN

HERE = Path(__file__).parent


class Page:
    """A client in a browser, seen from here."""

    def __init__(self, name: str) -> None:
        self.sight = Sight(name)
        self.codec = ""
        self._person = False
        self._changed = asyncio.Event()

    @property
    def person(self) -> bool:
        """Whether somebody is in the picture that it publishes."""
        return self._person

    @person.setter
    def person(self, there: bool) -> None:
        self._person = there
        self._changed.set()

    def app(self) -> web.Application:
        """The server that the page comes from."""
        app = web.Application(client_max_size=8 * 2**20)
        app.add_routes(
            [
                web.get("/", _file("page.html")),
                web.get("/page.js", _file("page.js")),
                web.get("/films", self._films),
                web.get("/film", self._film),
                web.get("/frames/{person}/{index}", self._frame),
                web.post("/picture", self._picture),
                web.post("/codec", self._codec),
                web.post("/failure", self._failure),
            ]
        )
        return app

    async def _films(self, _: web.Request) -> web.Response:
        names = {
            name: [f"frames/{person}/{index}" for index in range(len(frames()[person]))]
            for person, name in enumerate(("empty", "standing"))
        }
        return web.json_response(names)

    async def _film(self, _: web.Request) -> web.Response:
        """Which film runs, as soon as it is another than before."""
        await self._changed.wait()
        self._changed.clear()
        return web.Response(text="standing" if self._person else "empty")

    async def _frame(self, request: web.Request) -> web.Response:
        i420 = frames()[int(request.match_info["person"])][int(request.match_info["index"])]
        pixels = cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)
        _, encoded = cv2.imencode(".png", pixels)
        return web.Response(body=encoded.tobytes(), content_type="image/png")

    async def _picture(self, request: web.Request) -> web.Response:
        encoded = np.frombuffer(await request.read(), np.uint8)
        pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        assert pixels is not None
        await self.sight.take(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8))
        return web.Response(status=204)

    async def _codec(self, request: web.Request) -> web.Response:
        self.codec = await request.text()
        return web.Response(status=204)

    async def _failure(self, request: web.Request) -> web.Response:
        await self.sight.fail(await request.text())
        return web.Response(status=204)


def _file(name: str) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
    async def answer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(HERE / name)

    return answer


@contextlib.asynccontextmanager
async def page(
    name: str, *, whip: str | None = None, whep: str | None = None
) -> AsyncIterator[tuple[Page, str]]:
    """The page, and the address at which a browser opens it; a loopback one, so that it may."""
    here = Page(name)
    server = TestServer(here.app())
    await server.start_server()
    try:
        query = {"token": TOKEN} | {k: v for k, v in (("whip", whip), ("whep", whep)) if v}
        yield here, f"{server.make_url('/')}?{urlencode(query)}"
    finally:
        await server.close()

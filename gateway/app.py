"""The composition root: every part is made here and handed to those that use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from gateway import __version__
from gateway.access import Access, Problem
from gateway.api import Gallery, Streams, picture_limits
from gateway.backdrops import Backdrops, check_default
from gateway.decoding import Crowded, Decoding
from gateway.elsewhere import Elsewhere
from gateway.gallery import BuiltIn, built_in
from gateway.headers import MODULES, add_headers
from gateway.ice_servers import IceServers
from gateway.kept_plates import KeptPlates
from gateway.matting import Engine, description_json
from gateway.occupancy import Occupancy
from gateway.pictures import BadPicture
from gateway.placement import InThisProcess, Placement
from gateway.plates import Plates
from gateway.proxies import Proxies
from gateway.rates import Rates
from gateway.refusals import Refusals, call, refusal
from gateway.relays.relays import Relays
from gateway.relays.resource import RelayResource
from gateway.sdp import BadOffer
from gateway.settings import Settings
from gateway.signed_tokens import SignedTokens
from gateway.stats import exposition
from gateway.whep import Whep
from gateway.whip import Whip
from gateway.worker import Worker

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WORKER: Final = web.AppKey("worker", Worker)
"""For tests and for whoever embeds the application."""
BACKDROPS: Final = web.AppKey("backdrops", Backdrops)
RELAYS: Final = web.AppKey("relays", Relays)
"""For `cleanplate relay`."""

ENDPOINTS: Final = ("/whip/", "/whep/")

THREADS: Final = 8
"""Pictures, files and name look-ups; media are encoded elsewhere, see `transport.encoding`."""


def page_folder() -> Path:
    """Where the page is: in a wheel `gateway/static`, in a checkout `web` beside `gateway`."""
    installed = Path(str(files("gateway"))) / "static"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "web"


def create_app(
    settings: Settings,
    engine: Engine,
    *,
    gallery: tuple[BuiltIn, ...] | None = None,
    page: Path | None = None,
    place: Callable[[Worker], Placement] = InThisProcess,
) -> web.Application:
    """The whole gateway around an engine, which stays the caller's to close.

    `place` says which server holds a stream, for whoever runs several.

    Raises `gateway.settings.SettingsError` for a default backdrop that the gallery does not have,
    and for a folder of plates that cannot be used.
    """
    pictures = built_in() if gallery is None else gallery
    check_default(settings.default_backdrop, pictures)
    backdrops = Backdrops(pictures, picture_limits(settings), settings.max_uploads)
    decoding = Decoding()
    plates = KeptPlates(settings.plates_folder, settings.max_kept_plates)
    worker = Worker(settings, engine, backdrops, plates)
    placement = place(worker)
    signed = SignedTokens(settings.token_secret) if settings.token_secret else None
    access = Access(settings.grants, settings.origins, signed)
    app = web.Application(
        middlewares=[
            whole_lines,
            problems(Refusals()),
            behind(Proxies(settings.trusted_proxies)),
            guard(access, Rates(settings.client_calls, settings.all_calls)),
        ]
    )
    relays = Relays(worker, settings)
    app[WORKER], app[BACKDROPS], app[RELAYS] = worker, backdrops, relays
    app.on_response_prepare.append(add_headers(access))
    app.cleanup_ctx.append(threads)
    app.cleanup_ctx.append(running(worker, relays))
    occupancy = Occupancy(settings.max_client_sessions)
    app.add_routes(Whip(placement, access, settings, occupancy).routes())
    app.add_routes(Whep(placement, access, settings, occupancy).routes())
    app.add_routes(Streams(placement, access, settings, decoding, plates).routes())
    app.add_routes(Plates(plates, placement, access, settings, decoding).routes())
    app.add_routes(Gallery(backdrops, access, settings, decoding).routes())
    app.add_routes(RelayResource(relays, access, settings).routes())
    app.add_routes(Operators(worker, relays, access, settings).routes())
    add_page(app, page_folder() if page is None else page)
    return app


class Operators:
    """`/capabilities` for pages, `/healthz`, `/readyz` and `/metrics` for operators."""

    def __init__(self, worker: Worker, relays: Relays, access: Access, settings: Settings) -> None:
        self._worker = worker
        self._relays = relays
        self._access = access
        self._ice_servers = IceServers(settings)

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        return [
            web.get("/capabilities", self.capabilities),
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.metrics),
        ]

    async def capabilities(self, request: web.Request) -> web.Response:
        """What runs here, and what a page should ask its camera for."""
        described: dict[str, Any] = {
            "version": __version__,
            **description_json(self._worker.engine.describe()),
            "ice_servers": self._ice_servers.described(),
            "needs_token": self._access.needs_token,
        }
        if described["ice_servers"]:
            # TURN passwords are for those who may publish or watch.
            self._access.require_token(request, "publish", "watch")
        # Passwords must not stay in any cache.
        return web.json_response(described, headers={"Cache-Control": "no-store"})

    async def health(self, request: web.Request) -> web.Response:
        """The process answers."""
        return web.Response(text="ok\n")

    async def ready(self, request: web.Request) -> web.Response:
        """Whether another session would be taken."""
        gauges = self._worker.gauges()
        if self._worker.draining:
            raise Problem(503, "stopping", "The server is stopping.")
        if gauges["sessions"] >= gauges["sessions_limit"]:
            raise Problem(503, "full", "The server has as many sessions as it may have.")
        return web.Response(text="ready\n")

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus text."""
        worker = self._worker
        gauges = worker.gauges() | self._relays.gauges()
        text = exposition(worker.totals, worker.all_stats(), gauges)
        response = web.Response(body=text.encode())
        response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
        return response


def add_page(app: web.Application, folder: Path) -> None:
    """Serve exactly what a wheel contains: not the tests and tools that a checkout has beside."""

    def send(path: Path) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

        return handler

    for route, name in (("/", "index.html"), ("/style.css", "style.css")):
        app.router.add_get(route, send(folder / name))
    if (folder / "src").is_dir():
        app.router.add_static(MODULES, folder / "src")


def behind(proxies: Proxies) -> Any:
    """Let everybody after this see the client in `remote`, and not the proxy."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        client = proxies.client(request)
        if client is not None and client != request.remote:
            request = request.clone(remote=client)
        return await handler(request)

    return middleware


def guard(access: Access, rates: Rates) -> Any:
    """Refuse calls that change something from other sites' pages, and too many of them."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        access.require_origin(request)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            rates.take(request.remote)
        return await handler(request)

    return middleware


@web.middleware
async def whole_lines(request: web.Request, handler: Handler) -> web.StreamResponse:
    """End JSON with its line, for who reads it in a terminal."""
    response = await handler(request)
    if (
        isinstance(response, web.Response)
        and isinstance(response.body, bytes)
        and response.content_type.endswith("json")
    ):
        response.body += b"\n"
    return response


def problems(refusals: Refusals) -> Any:
    """Say refusals as `application/problem+json`, and note them for the operator."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (Problem, BadOffer, BadPicture, Crowded) as error:
            problem = refusal(error)
            refusals.note(call(request), problem.status, problem.reason)
            return problem.response()
        except Elsewhere as elsewhere:
            return elsewhere.response(request)
        except web.HTTPNotFound:
            return nothing_there(request)
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            headers = {"Allow": allowed}
            if request.method == "OPTIONS":
                # A preflight of whatever has no answer of its own; CORS headers come with all
                # answers.
                return web.Response(status=204, headers=headers)
            return Problem(405, "method", f"Allowed here: {allowed}.", headers).response()
        except web.HTTPError as error:
            return Problem(error.status, "http", f"{error.reason}.").response()

    return middleware


def nothing_there(request: web.Request) -> web.Response:
    """404, unless an endpoint's URL was given with a slash at its end."""
    if (path := without_slash(request)) is not None:
        if request.method == "POST":
            return web.Response(status=307, headers={"Location": path})
        if request.method == "OPTIONS":
            # A page's preflight must not be redirected (Fetch standard).
            return web.Response(status=204)
    return Problem(404, "not-found", "There is nothing at this address.").response()


def without_slash(request: web.Request) -> str | None:
    """Where a client wanted to go that was given an endpoint's URL with a slash at its end."""
    path = request.path
    if not path.startswith(ENDPOINTS) or not path.endswith("/"):
        return None
    return path.rstrip("/") + (f"?{request.query_string}" if request.query_string else "")


async def threads(app: web.Application) -> AsyncIterator[None]:
    """The executor behind `to_thread`; matting and encoders have threads of their own."""
    executor = ThreadPoolExecutor(THREADS, thread_name_prefix="gateway")
    asyncio.get_running_loop().set_default_executor(executor)
    yield
    # The loop's own shutdown joins it.


def running(worker: Worker, relays: Relays) -> Any:
    """Look at what there is to encode with, and close all sessions before the server ends."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        await asyncio.to_thread(worker.encoding.probe)
        yield
        # First, so that the servers that they call are told.
        await relays.close()
        await worker.close()

    return context

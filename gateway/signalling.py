"""What WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) have in common: the session resource."""

from __future__ import annotations

from aiohttp import web

from gateway.access import Access, Problem, read_body, require_type, stream_name
from gateway.placement import Placement
from gateway.sdp import Offer, Reach, read_fragment, read_offer
from gateway.session import Session
from gateway.settings import Settings
from gateway.worker import Full, Worker

OFFER_LIMIT = 64 * 1024
"""Bytes; browsers send about 6 KiB."""
SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
RETRY = {"Retry-After": "5"}


def full(error: Full) -> Problem:
    """503 for everything that is busy now."""
    return Problem(503, "full", f"Try again in a moment: {error}.", RETRY)


async def received_offer(request: web.Request, reach: Reach, settings: Settings) -> Offer:
    """The offer in the body; raises 415, 413 or `BadOffer`."""
    require_type(request, SDP)
    body = await read_body(request, OFFER_LIMIT)
    return read_offer(
        body.decode("utf-8", "replace"), reach=reach, max_candidates=settings.max_candidates
    )


def ice_links(settings: Settings) -> list[str]:
    """`Link` headers that tell clients our STUN and TURN servers (RFC 9725, 4.6)."""
    links = []
    for url in settings.ice_servers:
        link = f'<{url}>; rel="ice-server"'
        if url.startswith("turn"):
            link += (
                f'; username="{settings.ice_username}"; credential="{settings.ice_credential}"'
                '; credential-type="password"'
            )
        links.append(link)
    return links


class SessionResource:
    """`GET`, `PATCH`, `DELETE` and `OPTIONS` on a session's URL, below `prefix`."""

    def __init__(self, prefix: str, placement: Placement, access: Access) -> None:
        self._prefix = prefix
        self._placement = placement
        self._access = access

    def url(self, session: Session) -> str:
        """What `Location` says."""
        return f"{self._prefix}/{session.stream.name}/{session.id}"

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        path = self._prefix + "/{name}/{session}"
        return [
            web.get(path, self.look),
            web.patch(path, self.trickle),
            web.delete(path, self.end),
            web.options(path, self.options),
        ]

    async def look(self, request: web.Request) -> web.Response:
        """RFC 9725: 2xx without content."""
        self._find(request)
        return web.Response(status=204)

    async def trickle(self, request: web.Request) -> web.Response:
        """Take trickled candidates; ICE restarts are answered 422, as RFC 9725 allows."""
        self._access.require_token(request)
        worker, session = self._find(request)
        require_type(request, FRAGMENT)
        condition = request.headers.get("If-Match")
        if condition is None:
            raise Problem(428, "if-match", "PATCH needs If-Match with the session's ETag.")
        if condition != "*" and session.etag not in [tag.strip() for tag in condition.split(",")]:
            raise Problem(412, "if-match", "If-Match does not name the session's ETag.")
        body = await read_body(request, OFFER_LIMIT)
        fragment = read_fragment(body.decode("utf-8", "replace"), reach=worker.reach)
        await session.trickle(fragment)
        return web.Response(status=204)

    async def end(self, request: web.Request) -> web.Response:
        """Free everything before answering; any If-Match is ignored, as RFC 9725 wants."""
        self._access.require_token(request)
        _, session = self._find(request)
        session.end("the client ended the session")
        await session.finished.wait()
        return web.Response(status=200)

    async def options(self, request: web.Request) -> web.Response:
        """CORS headers are added to all answers alike."""
        return web.Response(status=204, headers={"Accept-Patch": FRAGMENT})

    def _find(self, request: web.Request) -> tuple[Worker, Session]:
        name = stream_name(request) or ""
        worker = self._placement.holding(name)
        session = worker.session(name, request.match_info["session"])
        if session is None:
            raise Problem(404, "no-session", "There is no such session; it may have ended.")
        return worker, session

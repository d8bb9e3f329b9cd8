"""Watching a stream's composite: WHEP, draft-ietf-wish-whep-04, without counter-offers."""

from __future__ import annotations

from aiohttp import web

from gateway.access import Access, Problem, stream_name
from gateway.placement import Placement
from gateway.sdp import BadOffer, Offer
from gateway.settings import Settings
from gateway.signalling import (
    FRAGMENT,
    RETRY,
    SDP,
    SessionResource,
    full,
    ice_links,
    received_offer,
)
from gateway.worker import Full, NotLive


class Whep:
    """The endpoint and its sessions."""

    def __init__(self, placement: Placement, access: Access, settings: Settings) -> None:
        self._placement = placement
        self._access = access
        self._settings = settings
        self._sessions = SessionResource("/whep", placement, access)

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        path = "/whep/{name}"
        return [
            web.post(path, self.watch),
            web.get(path, self.look, allow_head=False),
            web.head(path, self.is_endpoint),
            web.options(path, self.options),
            *self._sessions.routes(),
        ]

    async def watch(self, request: web.Request) -> web.Response:
        """`POST` of an offer: 201 with a `sendonly` answer, 409 while the stream is not live."""
        self._access.require_token(request)
        name = stream_name(request) or ""
        worker = self._placement.holding(name)
        offer = await received_offer(request, worker.reach, self._settings)
        check_watching(offer)
        try:
            session = await worker.watch(name, offer)
        except NotLive:
            raise Problem(409, "not-live", "Nobody publishes this stream now.", RETRY) from None
        except Full as error:
            raise full(error) from None
        response = web.Response(status=201, text=session.answer, content_type=SDP)
        response.headers["Location"] = self._sessions.url(session)
        response.headers["ETag"] = session.etag
        response.headers["Accept-Patch"] = FRAGMENT
        for link in ice_links(self._settings):
            response.headers.add("Link", link)
        return response

    async def look(self, request: web.Request) -> web.Response:
        """2xx without content."""
        return web.Response(status=204)

    async def is_endpoint(self, request: web.Request) -> web.Response:
        """`HEAD`: how clients discover that this URL speaks WHEP."""
        return web.Response(status=200, content_type=SDP)

    async def options(self, request: web.Request) -> web.Response:
        """CORS headers are added to all answers alike."""
        return web.Response(status=204, headers={"Accept-Post": SDP})


def check_watching(offer: Offer) -> None:
    """Raises `BadOffer` unless the offer receives video."""
    video = offer.section("video")
    if video is None or video.direction not in ("recvonly", "sendrecv"):
        raise BadOffer("direction", "WHEP offers receive video.", 422)

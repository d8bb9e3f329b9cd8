"""Watching a stream's composite: WHEP, draft-ietf-wish-whep-04, without counter-offers."""

from __future__ import annotations

from aiohttp import web

from gateway.access import Access, Problem, stream_name
from gateway.ice_servers import IceServers
from gateway.occupancy import Occupancy
from gateway.placement import Placement
from gateway.sdp import BadOffer, Offer
from gateway.settings import Settings
from gateway.signalling import (
    RETRY,
    SDP,
    SessionResource,
    described,
    full,
    received_offer,
)
from gateway.worker import Full, NotLive


class Whep:
    """The endpoint and its sessions."""

    def __init__(
        self, placement: Placement, access: Access, settings: Settings, occupancy: Occupancy
    ) -> None:
        self._placement = placement
        self._access = access
        self._settings = settings
        self._occupancy = occupancy
        self._ice_servers = IceServers(settings)
        self._sessions = SessionResource(
            "/whep", "watch", placement, access, lenient=settings.lenient_trickle
        )

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
        name = stream_name(request) or ""
        self._access.require_token(request, "watch", stream=name)
        worker = self._placement.holding(name)
        offer = await received_offer(request, worker.reach, self._settings)
        check_watching(offer)
        try:
            with self._occupancy.opening(request.remote) as keep:
                session = await worker.watch(name, offer)
                keep(session)
        except NotLive:
            raise Problem(409, "not-live", "Nobody publishes this stream now.", RETRY) from None
        except Full as error:
            raise full(error) from None
        response = described(session)
        response.headers["Location"] = self._sessions.url(session)
        for link in self._ice_servers.links():
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
    """Raises `BadOffer` unless the offer receives video, and all that it names."""
    if offer.section("video") is None:
        raise BadOffer("no-video", "The offer has no video; there is nothing else to watch.", 422)
    for section in offer.sections:
        if section.kind != "application" and section.direction in ("sendonly", "inactive"):
            raise BadOffer(
                "direction",
                f"WHEP offers receive; the {section.kind} section is {section.direction}.",
                422,
            )

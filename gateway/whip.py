"""Publishing into a stream: WHIP, RFC 9725.

One extension: an offer with a data channel gets the composite back on the same connection.
"""

from __future__ import annotations

import secrets

from aiohttp import web

from gateway.access import KEY_HEADER, Access, Problem, given_key, stream_name
from gateway.backdrops import UnknownBackdrop
from gateway.ice_servers import IceServers
from gateway.kept_plates import UnknownPlate
from gateway.occupancy import Occupancy
from gateway.placement import Placement
from gateway.scenery import BadScenery, Scenery, read_scenery
from gateway.sdp import BadOffer, Offer
from gateway.session import Publication
from gateway.settings import Settings
from gateway.signalling import (
    SDP,
    SessionResource,
    described,
    full,
    received_offer,
)
from gateway.worker import Full, NameTaken

STREAM_RELATION = "urn:cleanplate:stream"


class Whip:
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
            "/whip", "publish", placement, access, lenient=settings.lenient_trickle
        )

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        return [
            *(
                route
                for path in ("/whip", "/whip/{name}")
                for route in (
                    web.post(path, self.publish),
                    web.get(path, self.look),
                    web.options(path, self.options),
                )
            ),
            *self._sessions.routes(),
        ]

    async def publish(self, request: web.Request) -> web.Response:
        """`POST` of an offer: 201 with the answer."""
        name = stream_name(request) or secrets.token_urlsafe(16)
        self._access.require_token(request, "publish", stream=name)
        key = given_key(request)
        scenery = asked_scenery(request)
        worker = self._placement.place(name)
        offer = await received_offer(request, worker.reach, self._settings)
        check_publishing(offer)
        try:
            with self._occupancy.opening(request.remote) as keep:
                session = await worker.publish(
                    name,
                    key,
                    offer,
                    trusted=self._access.has_token(request, "publish", stream=name),
                    # Pages remember their keys.
                    identity=None
                    if key or offer.has_data_channel
                    else self._access.identity(request),
                    scenery=scenery,
                )
                keep(session)
        except UnknownPlate as error:
            raise Problem(422, "unknown-plate", f"No plate {error} is kept.") from None
        except UnknownBackdrop:
            raise Problem(422, "unknown-backdrop", "There is no picture with this id.") from None
        except NameTaken:
            raise Problem(
                409, "name-taken", f"A stream {name} exists, and this is not its key."
            ) from None
        except Full as error:
            raise full(error) from None
        return self._created(session)

    def _created(self, session: Publication) -> web.Response:
        stream = session.stream
        response = described(session)
        response.headers["Location"] = self._sessions.url(session)
        response.headers[KEY_HEADER] = stream.key
        response.headers.add("Link", f'</streams/{stream.name}>; rel="{STREAM_RELATION}"')
        for link in self._ice_servers.links():
            response.headers.add("Link", link)
        return response

    async def look(self, request: web.Request) -> web.Response:
        """RFC 9725: 2xx without content."""
        return web.Response(status=204)

    async def options(self, request: web.Request) -> web.Response:
        """CORS headers are added to all answers alike."""
        return web.Response(status=204, headers={"Accept-Post": SDP})


def asked_scenery(request: web.Request) -> Scenery:
    """Plate and backdrop in the URL; raises 422 for what means nothing."""
    for name in ("plate", "backdrop"):
        if len(request.query.getall(name, [])) > 1:
            raise Problem(422, name, f"{name} stands more than once in the URL.")
    try:
        return read_scenery(request.query)
    except BadScenery as error:
        raise Problem(422, error.reason, error.detail) from None


def check_publishing(offer: Offer) -> None:
    """Raises `BadOffer` unless the offer sends video to us."""
    video = offer.section("video")
    if video is None:
        raise BadOffer("no-video", "The offer has no video; there is nothing to matte.", 422)
    for section in offer.sections:
        if section.kind != "application" and section.direction in ("recvonly", "inactive"):
            raise BadOffer(
                "direction",
                f"WHIP offers send; the {section.kind} section is {section.direction}.",
                422,
            )

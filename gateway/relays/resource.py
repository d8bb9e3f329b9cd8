"""REST for relays: only for the operator, and only to hosts that the settings list."""

from __future__ import annotations

import ipaddress
import secrets
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.access import KEY_HEADER, Access, Problem, given_key, read_body, require_type
from gateway.backdrops import UnknownBackdrop
from gateway.grants import NAME
from gateway.kept_plates import UnknownPlate
from gateway.relays.outbound import Outbound, Refused
from gateway.relays.relay import Plan, Relay
from gateway.relays.relays import Relays
from gateway.scenery import BadScenery, read_scenery
from gateway.settings import Settings
from gateway.signalling import full
from gateway.worker import Full, NameTaken

LIMIT: Final = 16 * 1024
"""Bytes of a request."""

Url = Annotated[str, Field(max_length=2048)]
Token = Annotated[str, Field(max_length=4096, pattern=r"^[A-Za-z0-9._~+/-]+=*$")]
"""RFC 6750, 2.1."""


class RelayRequest(BaseModel):
    """Body of `POST /relays`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pull_url: Annotated[Url, Field(alias="from")]
    push_url: Annotated[Url, Field(alias="to")]
    pull_token: Annotated[Token | None, Field(alias="from_token", repr=False)] = None
    push_token: Annotated[Token | None, Field(alias="to_token", repr=False)] = None
    name: Annotated[str | None, Field(pattern=f"^{NAME.pattern}$")] = None
    plate: object = None
    backdrop: object = None


class RelayResource:
    """`/relays` and `/relays/{id}`; all of it needs the operator's token, where there are some."""

    def __init__(self, relays: Relays, access: Access, settings: Settings) -> None:
        self._relays = relays
        self._access = access
        self._outbound = Outbound(
            settings.relay_hosts,
            [ipaddress.ip_network(network) for network in settings.relay_networks],
        )

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        return [
            web.post("/relays", self.begin),
            web.get("/relays", self.list),
            web.get("/relays/{id}", self.show),
            web.delete("/relays/{id}", self.end),
        ]

    async def begin(self, request: web.Request) -> web.Response:
        """Begin a relay; 201 as soon as its stream exists, before anything is connected."""
        self._access.require_token(request)
        if self._outbound.closed:
            raise Problem(
                403,
                "relays-off",
                "This server calls nobody; its operator can list hosts in the setting relay_hosts.",
            )
        require_type(request, "application/json")
        key = given_key(request)
        plan = self._plan(
            read_request(await read_body(request, LIMIT)), key, self._access.has_token(request)
        )
        try:
            relay = await self._relays.begin(plan, self._outbound)
            stream = await relay.began
        except UnknownPlate as error:
            raise Problem(422, "unknown-plate", f"No plate {error} is kept.") from None
        except UnknownBackdrop:
            raise Problem(422, "unknown-backdrop", "There is no picture with this id.") from None
        except NameTaken:
            raise Problem(
                409, "name-taken", f"A stream {plan.name} exists, and this is not its key."
            ) from None
        except Full as error:
            raise full(error) from None
        response = web.json_response(relay.describe(), status=201)
        response.headers["Location"] = f"/relays/{relay.id}"
        response.headers[KEY_HEADER] = stream.key
        response.headers["Cache-Control"] = "no-store"
        return response

    async def list(self, request: web.Request) -> web.Response:
        """Those that run, and the last that ended."""
        self._access.require_token(request)
        return web.json_response({"relays": [relay.describe() for relay in self._relays.all()]})

    async def show(self, request: web.Request) -> web.Response:
        """One of them."""
        self._access.require_token(request)
        return web.json_response(self._find(request).describe())

    async def end(self, request: web.Request) -> web.Response:
        """End it and forget it; both servers were told when this answers."""
        self._access.require_token(request)
        await self._relays.remove(self._find(request))
        return web.Response(status=200)

    def _find(self, request: web.Request) -> Relay:
        relay = self._relays.find(request.match_info["id"])
        if relay is None:
            raise Problem(404, "no-relay", "There is no such relay; it may have ended long ago.")
        return relay

    def _plan(self, asked: RelayRequest, key: str | None, trusted: bool) -> Plan:
        urls = {}
        for side, text in (("from", asked.pull_url), ("to", asked.push_url)):
            try:
                urls[side] = self._outbound.read(text)
            except Refused as error:
                raise Problem(403, "url", f"{side}: {error}") from None
        try:
            scenery = read_scenery({"plate": asked.plate, "backdrop": asked.backdrop})
        except BadScenery as error:
            raise Problem(422, error.reason, error.detail) from None
        return Plan(
            pull_url=urls["from"],
            push_url=urls["to"],
            name=asked.name or secrets.token_urlsafe(16),
            key=key,
            trusted=trusted,
            pull_token=asked.pull_token,
            push_token=asked.push_token,
            scenery=scenery,
        )


def read_request(body: bytes) -> RelayRequest:
    """Parse a request; raises 400 for what is no JSON and 422 for what is no relay.

    What was sent is never repeated in the answer: it may be a token in the wrong place.
    """
    try:
        return RelayRequest.model_validate_json(body)
    except ValidationError as error:
        found: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if found["type"] == "json_invalid":
            raise Problem(400, "malformed-json", "The body is not JSON.") from None
        if found["type"] == "extra_forbidden":
            raise Problem(422, "relay", "There is a member that no relay has.") from None
        place = ".".join(str(part) for part in found["loc"])
        raise Problem(422, "relay", f"{place or 'relay'}: {found['msg']}") from None

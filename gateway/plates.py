"""REST for kept plates: `/plates`. A name suffices to use one, its key to look at it."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime
from typing import Any

import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from gateway import events
from gateway.access import (
    KEY_HEADER,
    Access,
    Problem,
    given_key,
    read_body,
    require_type,
    stream_name,
)
from gateway.api import CHOICE_LIMIT, PICTURE_TYPES, picture_limits, private_png, read_json
from gateway.decoding import Decoding
from gateway.engine_calls import EngineFailed
from gateway.kept_plates import (
    KeepingFailed,
    KeptPlate,
    KeptPlates,
    PlateTaken,
    TooManyPlates,
    UnknownPlate,
    digest,
)
from gateway.pictures import decode_picture
from gateway.placement import Placement
from gateway.settings import Settings
from gateway.stream_plate import NOBODY

logger = logging.getLogger(__name__)


class Plates:
    """Lists, keeps, shows and forgets them."""

    def __init__(
        self,
        plates: KeptPlates,
        placement: Placement,
        access: Access,
        settings: Settings,
        decoding: Decoding,
    ) -> None:
        self._plates = plates
        self._placement = placement
        self._access = access
        self._decoding = decoding
        self._limits = picture_limits(settings)

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        return [
            web.get("/plates", self.list),
            web.put("/plates/{name}", self.keep),
            web.get("/plates/{name}", self.look),
            web.delete("/plates/{name}", self.forget),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """What the secret in the request opens: an operator's token all, a key its own."""
        key, plates = request.headers.get(KEY_HEADER, ""), self._plates.all()
        opened = [plate for plate in plates if plate.opened_by(key)]
        try:
            trusted = self._access.has_token(request)
        except Problem:
            # It has expired, which is no matter for what the key opens.
            if not opened:
                raise
            trusted = False
        if not (key or trusted):
            raise self._access.without_key(request, f"This needs a key in the header {KEY_HEADER}.")
        listed = plates if trusted else opened
        return web.json_response({"plates": [entry(plate) for plate in listed]})

    async def keep(self, request: web.Request) -> web.Response:
        """Keep the plate of a stream, or a picture, under a name."""
        name = stream_name(request) or ""
        require_type(request, *PICTURE_TYPES, "application/json")
        given = given_key(request)
        headers = {"Cache-Control": "no-store"}
        if request.content_type == "application/json":
            rgb, owner = await self._of_stream(request)
        else:
            self._access.require_token(request, "publish")
            data = await read_body(request, self._limits.size)
            rgb = await self._decoding.run(decode_picture, data, self._limits)
            headers[KEY_HEADER] = given or secrets.token_urlsafe(24)
            owner = digest(headers[KEY_HEADER])

        def may_replace(old: KeptPlate) -> bool:
            # The key first, as what it opens heeds no token: not one that has expired either.
            return old.opened_by(given or "") or self._access.has_token(request)

        try:
            plate, new = await self._decoding.run(self._plates.keep, name, rgb, owner, may_replace)
        except PlateTaken:
            raise Problem(
                409, "name-taken", f"A plate {name} is kept, and this is not its key."
            ) from None
        except TooManyPlates:
            raise Problem(409, "too-many-plates", "Forget another kept plate first.") from None
        except KeepingFailed as error:
            raise storage(error) from None
        if new:
            headers["Location"] = f"/plates/{name}"
        return web.json_response(entry(plate), status=201 if new else 200, headers=headers)

    async def look(self, request: web.Request) -> web.Response:
        """The picture: for the key alone, as it shows somebody's room."""
        plate = self._find(request)
        self._require(request, plate, token_opens=False)
        try:
            rgb = await self._decoding.run(plate.rgb)
        except UnknownPlate:
            raise unknown() from None
        return await private_png(rgb)

    async def forget(self, request: web.Request) -> web.Response:
        """Forget it; streams that use it go on."""
        plate = self._find(request)
        self._require(request, plate)
        try:
            await self._decoding.run(self._plates.remove, plate)
        except KeepingFailed as error:
            raise storage(error) from None
        return web.Response(status=204)

    async def _of_stream(self, request: web.Request) -> tuple[NDArray[np.uint8], str]:
        """A stream's plate and the digest of the key that opens it."""
        body = await read_body(request, CHOICE_LIMIT)
        asked = read_json(events.StreamName.model_validate_json, body, "stream")
        stream = self._placement.holding(asked.stream).stream(asked.stream)
        if stream is None:
            raise Problem(404, "no-stream", "There is no such stream; it may have ended.")
        self._access.require_key(request, stream.key, stream=asked.stream)
        # Whose picture it is, is asked at the same moment as for the picture: who may keep a plate
        # that they may not see, with a token, or as they only use it, cannot see it afterwards.
        owner = digest(stream.key) if stream.plate.owner is None else stream.plate.owner
        if owner == NOBODY:
            raise Problem(409, "busy", "Another plate is being made right now.")
        try:
            rgb = await stream.plate.picture()
        except EngineFailed as error:
            raise Problem(503, "engine", str(error)) from None
        if rgb is None:
            raise Problem(409, "no-plate", "This stream has no plate yet.")
        return rgb, owner

    def _find(self, request: web.Request) -> KeptPlate:
        try:
            return self._plates.find(stream_name(request) or "")
        except UnknownPlate:
            raise unknown() from None

    def _require(self, request: web.Request, plate: KeptPlate, *, token_opens: bool = True) -> None:
        if plate.opened_by(request.headers.get(KEY_HEADER, "")):
            return
        if not (token_opens and self._access.has_token(request)):
            raise self._access.without_key(
                request,
                f"This needs the plate's key in the header {KEY_HEADER}.",
                token_opens=token_opens,
            )


def unknown() -> Problem:
    """404 for a name under which nothing is kept."""
    return Problem(404, "unknown-plate", "No plate is kept under this name.")


def storage(error: KeepingFailed) -> Problem:
    """503: the operator's folder, of whose place the caller need not know."""
    logger.error("plates cannot be kept: %s", error)
    return Problem(503, "storage", "The server's folder of plates fails; tell its operator.")


def entry(plate: KeptPlate) -> dict[str, Any]:
    """One plate as JSON, without the picture."""
    return {
        "name": plate.name,
        "url": f"/plates/{plate.name}",
        "width": plate.width,
        "height": plate.height,
        "kept": datetime.fromtimestamp(plate.kept, UTC).isoformat(),
    }

"""REST for streams, plates and backdrops: what a page does, curl can do as well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
from aiohttp import web
from numpy.typing import NDArray
from pydantic import ValidationError

from gateway import events
from gateway.access import Access, Problem, read_body, require_type, stream_name
from gateway.backdrops import Backdrops, Entry, NotYours, UnknownBackdrop
from gateway.decoding import Decoding
from gateway.engine_calls import EngineFailed
from gateway.kept_plates import KeptPlates, UnknownPlate
from gateway.pictures import PictureLimits, decode_picture, encode_png
from gateway.placement import Placement
from gateway.settings import Settings
from gateway.stream import Stream
from gateway.stream_plate import CaptureImpossible
from gateway.worker import Worker
from models.errors import PictureError, PlateRefused

T = TypeVar("T")

PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")
CHOICE_LIMIT = 4096
"""Bytes of a backdrop choice."""


def picture_limits(settings: Settings) -> PictureLimits:
    """What uploads may cost."""
    return PictureLimits(settings.max_upload_bytes, settings.max_upload_pixels)


class Streams:
    """`/streams/{name}` with its plate and backdrop; all of it needs the stream's key."""

    def __init__(
        self,
        placement: Placement,
        access: Access,
        settings: Settings,
        decoding: Decoding,
        plates: KeptPlates,
    ) -> None:
        self._placement = placement
        self._plates = plates
        self._access = access
        self._decoding = decoding
        self._limits = picture_limits(settings)

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        plate, backdrop = "/streams/{name}/plate", "/streams/{name}/backdrop"
        return [
            web.get("/streams/{name}", self.show),
            web.post(plate, self.capture),
            web.put(plate, self.load),
            web.get(plate, self.look),
            web.delete(plate, self.forget),
            web.get(backdrop, self.backdrop),
            web.put(backdrop, self.choose),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """State and statistics."""
        worker, stream = self._find(request)
        return web.json_response(describe(worker, stream))

    async def capture(self, request: web.Request) -> web.Response:
        """Learn the plate from the live source; takes about a second."""
        _, stream = self._find(request)
        try:
            report = await stream.plate.capture()
        except CaptureImpossible as error:
            raise Problem(409, error.reason, error.detail) from None
        except PlateRefused as error:
            raise Problem(409, error.reason, error.advice) from None
        except EngineFailed as error:
            raise Problem(503, "engine", str(error)) from None
        return web.json_response(asdict(report))

    async def load(self, request: web.Request) -> web.Response:
        """Take the plate from a picture, or one that was kept: `{"kept": NAME}`."""
        _, stream = self._find(request)
        require_type(request, *PICTURE_TYPES, "application/json")
        owner = None
        if request.content_type == "application/json":
            body = await read_body(request, CHOICE_LIMIT)
            asked = read_json(events.KeptPlateName.model_validate_json, body, "plate")
            try:
                kept = self._plates.find(asked.kept)
                rgb, owner = await self._decoding.run(kept.rgb), kept.owner
            except UnknownPlate as error:
                raise Problem(422, "unknown-plate", f"No plate {error} is kept.") from None
        else:
            data = await read_body(request, self._limits.size)
            rgb = await self._decoding.run(decode_picture, data, self._limits)
        try:
            report = await stream.plate.load(rgb, owner)
        except CaptureImpossible as error:
            raise Problem(409, error.reason, error.detail) from None
        except PlateRefused as error:
            raise Problem(409, error.reason, error.advice) from None
        except PictureError as error:
            raise Problem(422, "picture", str(error)) from None
        except EngineFailed as error:
            raise Problem(503, "engine", str(error)) from None
        return web.json_response(asdict(report))

    async def look(self, request: web.Request) -> web.Response:
        """The plate as PNG: for the key alone, as it shows somebody's room."""
        _, stream = self._find(request, token_opens=False)
        if not stream.plate.opened_by(stream.key):
            raise Problem(403, "key", "Somebody else kept this plate; their key alone shows it.")
        try:
            rgb = await stream.plate.picture()
        except EngineFailed as error:
            raise Problem(503, "engine", str(error)) from None
        if rgb is None:
            raise Problem(404, "no-plate", "This stream has no plate yet.")
        return await private_png(rgb)

    async def forget(self, request: web.Request) -> web.Response:
        """Forget the plate: watchers see the backdrop only."""
        _, stream = self._find(request)
        try:
            await stream.plate.forget()
        except EngineFailed as error:
            raise Problem(503, "engine", str(error)) from None
        return web.Response(status=204)

    async def backdrop(self, request: web.Request) -> web.Response:
        """The current choice."""
        _, stream = self._find(request)
        return web.json_response(stream.choice.model_dump())

    async def choose(self, request: web.Request) -> web.Response:
        """Change the backdrop."""
        _, stream = self._find(request)
        require_type(request, "application/json")
        choice = read_choice(await read_body(request, CHOICE_LIMIT))
        try:
            await stream.set_backdrop(choice)
        except UnknownBackdrop:
            raise Problem(422, "unknown-backdrop", "There is no picture with this id.") from None
        except PictureError as error:
            raise Problem(422, "picture", str(error)) from None
        except EngineFailed as error:
            raise Problem(503, "engine", str(error)) from None
        return web.Response(status=204)

    def _find(self, request: web.Request, *, token_opens: bool = True) -> tuple[Worker, Stream]:
        name = stream_name(request) or ""
        worker = self._placement.holding(name)
        stream = worker.stream(name)
        if stream is None:
            raise Problem(404, "no-stream", "There is no such stream; it may have ended.")
        self._access.require_key(request, stream.key, stream=name, token_opens=token_opens)
        return worker, stream


def read_choice(body: bytes) -> events.BackdropChoice:
    """Parse a choice; raises 400 for what is no JSON and 422 for what is no choice."""
    return read_json(events.decode_choice, body, "backdrop")


def read_json(decode: Callable[[bytes], T], body: bytes, reason: str) -> T:
    """Parse a body; raises 400 for what is no JSON, and 422 with the `reason` for what else."""
    try:
        return decode(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Problem(400, "malformed-json", "The body is not JSON.") from None
        place = ".".join(str(part) for part in first["loc"])
        raise Problem(422, reason, f"{place or reason}: {first['msg']}") from None


async def private_png(rgb: NDArray[np.uint8]) -> web.Response:
    """Somebody's room, for no cache to keep."""
    png = await asyncio.to_thread(encode_png, rgb)
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=png, content_type="image/png", headers=headers)


def describe(worker: Worker, stream: Stream) -> dict[str, Any]:
    """`GET /streams/{name}`."""
    stats = stream.stats_event().model_dump(exclude={"type", "plate"})
    plate = stream.plate.event().model_dump(exclude={"type"})
    numbers = stream.stats_event().plate.model_dump(exclude={"state"})
    return {
        "name": stream.name,
        "state": "live" if worker.is_live(stream) else "lingering",
        "plate": plate | numbers | {"first": first_plate(stream)},
        "backdrop": stream.choice.model_dump(),
        "watchers": len(worker.watchers(stream)),
        "renditions": [asdict(seating) for seating in stream.renditions.seating()],
        "stats": stats,
        "arrivals": asdict(stream.stats.arrivals),
        "departures": asdict(stream.stats.departures),
    }


def first_plate(stream: Stream) -> dict[str, Any] | None:
    """How the watch for the first plate stands, `None` where none was asked for."""
    first = stream.plate.first
    return None if first is None else {"state": first.progress, "refused": first.refused}


class Gallery:
    """`/backdrops`: the pictures that ship with us, and uploads that only their ids open."""

    def __init__(
        self, backdrops: Backdrops, access: Access, settings: Settings, decoding: Decoding
    ) -> None:
        self._backdrops = backdrops
        self._access = access
        self._decoding = decoding
        self._limits = picture_limits(settings)

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        return [
            web.get("/backdrops", self.list),
            web.post("/backdrops", self.upload),
            web.get("/backdrops/{id}", self.show),
            web.delete("/backdrops/{id}", self.remove),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """The shipped pictures."""
        return web.json_response({"backdrops": [entry(e) for e in self._backdrops.entries()]})

    async def upload(self, request: web.Request) -> web.Response:
        """Take a picture; the answer's id is the only way to it."""
        self._access.require_token(request, "publish")
        require_type(request, *PICTURE_TYPES, "application/octet-stream")
        data = await read_body(request, self._limits.size)
        added = await self._decoding.run(self._backdrops.add, data)
        return web.json_response(
            entry(added), status=201, headers={"Location": f"/backdrops/{added.id}"}
        )

    async def show(self, request: web.Request) -> web.Response:
        """The picture, or its thumbnail."""
        name = request.match_info["id"]
        small = request.query.get("thumbnail") == "1"
        read = self._backdrops.thumbnail if small else self._backdrops.jpeg
        try:
            jpeg = await asyncio.to_thread(read, name)
        except UnknownBackdrop:
            raise Problem(404, "unknown-backdrop", "There is no picture with this id.") from None
        headers = {"Cache-Control": "private, max-age=3600"}
        return web.Response(body=jpeg, content_type="image/jpeg", headers=headers)

    async def remove(self, request: web.Request) -> web.Response:
        """Forget an upload."""
        self._access.require_token(request, "publish")
        try:
            self._backdrops.remove(request.match_info["id"])
        except NotYours:
            raise Problem(403, "built-in", "Pictures of the gallery stay.") from None
        except UnknownBackdrop:
            raise Problem(404, "unknown-backdrop", "There is no picture with this id.") from None
        return web.Response(status=204)


def entry(picture: Entry) -> dict[str, Any]:
    """One picture as JSON."""
    url = f"/backdrops/{picture.id}"
    return {
        "id": picture.id,
        "title": picture.title,
        "url": url,
        "thumbnail": f"{url}?thumbnail=1",
        "built_in": picture.built_in,
    }

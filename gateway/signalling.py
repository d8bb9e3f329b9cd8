"""What WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) have in common: the session resource."""

from __future__ import annotations

from aiohttp import web

from gateway.access import Access, Problem, read_body, require_type, stream_name
from gateway.grants import Scope
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


def described(session: Session) -> web.Response:
    """201 with the answer."""
    # As bytes: aiohttp adds a charset to text, and application/sdp has none (RFC 8866, 8.1).
    response = web.Response(status=201, body=session.answer.encode(), content_type=SDP)
    response.headers["ETag"] = session.etag
    response.headers["Accept-Patch"] = FRAGMENT
    # Neither keys nor passwords of TURN servers must stay in any cache.
    response.headers["Cache-Control"] = "no-store"
    return response


class SessionResource:
    """`GET`, `PATCH`, `DELETE` and `OPTIONS` on a session's URL, below `prefix`.

    Changing one needs a token for the same `scope` as opening it. `lenient` takes trickled
    candidates without `If-Match`.
    """

    def __init__(
        self,
        prefix: str,
        scope: Scope,
        placement: Placement,
        access: Access,
        *,
        lenient: bool = False,
    ) -> None:
        self._prefix = prefix
        self._scope = scope
        self._placement = placement
        self._access = access
        self._lenient = lenient

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
        """Take trickled candidates; ICE restarts are answered 422.

        RFC 9725 (4.3.1) wants that of who supports only one of the two.
        """
        self._require_token(request)
        worker, session = self._find(request)
        require_type(request, FRAGMENT)
        self._check_condition(request, session)
        body = await read_body(request, OFFER_LIMIT)
        fragment = read_fragment(body.decode("utf-8", "replace"), reach=worker.reach)
        await session.trickle(fragment)
        return web.Response(status=204)

    async def end(self, request: web.Request) -> web.Response:
        """Free everything before answering; any If-Match is ignored, as RFC 9725 wants."""
        self._require_token(request)
        _, session = self._find(request)
        session.end("the client ended the session")
        await session.finished.wait()
        return web.Response(status=200)

    async def options(self, request: web.Request) -> web.Response:
        """CORS headers are added to all answers alike."""
        return web.Response(status=204, headers={"Accept-Patch": FRAGMENT})

    def _require_token(self, request: web.Request) -> None:
        self._access.require_token(request, self._scope, stream=stream_name(request))

    def _check_condition(self, request: web.Request, session: Session) -> None:
        # Several headers are one list (RFC 9110, 5.3); our tags hold no comma.
        given = ",".join(request.headers.getall("If-Match", []))
        tags = [tag.strip() for tag in given.split(",")]
        if self._lenient:
            # As old are clients that leave the quotes out.
            tags += [f'"{tag}"' for tag in tags]
        if not given and not self._lenient:
            raise Problem(428, "if-match", "PATCH needs If-Match with the session's ETag.")
        # RFC 9110 (13.1.1) has the star without quotes, the example of RFC 9725 (4.3.3) with them.
        if given and not {"*", '"*"', session.etag}.intersection(tags):
            raise Problem(412, "if-match", "If-Match does not name the session's ETag.")

    def _find(self, request: web.Request) -> tuple[Worker, Session]:
        name = stream_name(request) or ""
        worker = self._placement.holding(name)
        session = worker.session(name, request.match_info["session"])
        if session is None:
            raise Problem(404, "no-session", "There is no such session; it may have ended.")
        return worker, session

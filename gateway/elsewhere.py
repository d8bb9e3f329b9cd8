"""Streams that another server holds."""

from __future__ import annotations

from aiohttp import web

from gateway.access import Problem


class Elsewhere(Exception):
    """Raised by a `Placement` for a stream that the server at `url` holds, or shall hold.

    `url` is that server's root, such as `https://two.example.org`.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url.rstrip("/")

    def response(self, request: web.Request) -> web.Response:
        """307 for whoever opens a session, with path and query kept (RFC 9725, 4.5).

        Clients need not follow one for anything else: a session's own URL must work where it is,
        and does, as `Location` named the other server. 421 says that it was not used.
        """
        if request.method == "POST":
            # As it was sent: `path_qs` decodes what need not be encoded. Proxies may send more.
            raw = request.raw_path
            path = raw if raw.startswith("/") else request.path_qs
            return web.Response(status=307, headers={"Location": self.url + path})
        # Where is told to those alone who may open a session.
        detail = "Another server holds this stream; use the URL that opening the session gave."
        return Problem(421, "elsewhere", detail).response()

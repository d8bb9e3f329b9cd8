"""The headers that every answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from aiohttp import web

from gateway.access import Access

MODULES: Final = "/src"
"""Where the page's modules are."""

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Permissions-Policy": "camera=(self), microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": "Cleanplate",
}

Prepare: TypeAlias = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def add_headers(access: Access) -> Prepare:
    """Security headers on every answer, CORS headers where a page of another origin asks."""

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(SECURITY_HEADERS)
        response.headers.update(access.cors_headers(request))
        if request.path.startswith(MODULES):
            # Revalidated at each load: modules of two versions must not meet in one page.
            response.headers["Cache-Control"] = "no-cache"

    return prepare

"""Meetecho's janus-whep-server: WHEP out of a VideoRoom of Janus, by counter-offers (406)."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp

from tests.sfu.install import NPM
from tests.sfu.janus import ROOM
from tests.sfu.program import node, running

BASE = "http://127.0.0.1:7090"

Offer = Callable[[str, int], Awaitable[str]]
"""Opens an endpoint of a name for a publisher's id; returns its URL."""


@contextlib.asynccontextmanager
async def whep_server(folder: Path) -> AsyncIterator[Offer]:
    """The server; needs Janus."""
    async with running("janus-whep-server", [node(), "whep.mjs"], folder, cwd=NPM) as program:
        await program.until_ready(f"{BASE}/whep/healthcheck")
        async with aiohttp.ClientSession() as http:

            async def offer(name: str, publisher: int) -> str:
                wanted = {"id": name, "room": ROOM, "feed": publisher}
                async with http.post(f"{BASE}/endpoints", json=wanted) as response:
                    assert response.status == 201, await response.text()
                return f"{BASE}/whep/endpoint/{name}"

            yield offer

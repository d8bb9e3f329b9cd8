"""Meetecho's simple-whip-server: WHIP (RFC 9725) into a VideoRoom of Janus."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp

from tests.sfu.install import NPM, WHIP
from tests.sfu.janus import ROOM
from tests.sfu.program import node, running

URL = "http://127.0.0.1:7080/whip"
TOKEN = "a-token-for-publishing"


def endpoint(name: str) -> str:
    """Where to publish; the token is wanted."""
    return f"{URL}/endpoint/{name}"


@contextlib.asynccontextmanager
async def whip_server(folder: Path, names: Sequence[str]) -> AsyncIterator[None]:
    """The server, with an endpoint of each name; needs Janus."""
    async with running(
        "simple-whip-server",
        [node(), "src/server.js"],
        folder,
        cwd=WHIP,
        environment={"NODE_PATH": str(NPM / "node_modules"), "DEBUG": "whip:*"},
    ) as program:
        await program.until_ready(f"{URL}/healthcheck")
        async with aiohttp.ClientSession() as http:
            for name in names:
                # Publishers with one label would be taken for one.
                wanted = {"id": name, "label": name, "room": ROOM, "token": TOKEN}
                async with http.post(f"{URL}/create", json=wanted) as response:
                    assert response.status == 200, await response.text()
        yield

"""An SFU made of Pion, the engine of LiveKit, MediaMTX and Galène: pion/main.go."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.sfu.install import PION
from tests.sfu.program import running

URL = "http://127.0.0.1:8090"


def whip(name: str) -> str:
    """Where to publish a stream."""
    return f"{URL}/whip/{name}"


def whep(name: str) -> str:
    """Where to watch it."""
    return f"{URL}/whep/{name}"


@contextlib.asynccontextmanager
async def pion(folder: Path) -> AsyncIterator[None]:
    """The server."""
    async with running("pion", [PION], folder) as program:
        await program.until_ready(URL)
        yield

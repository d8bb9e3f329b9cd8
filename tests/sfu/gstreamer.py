"""GStreamer's webrtcbin, Debian's, as camera and as screen; see webrtcbin.py."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import numpy as np

from tests.sfu.film import CLIP, FilmCamera
from tests.sfu.filming import filming
from tests.sfu.program import STOP_SECONDS
from tests.sfu.sight import RGB, Sight, looking

CLIENT = ["/usr/bin/python3", str(Path(__file__).with_name("webrtcbin.py"))]
"""Debian's Python, for its bindings; not that of the tests."""
SIZE = [str(CLIP.width), str(CLIP.height)]


def publishing(url: str, token: str, folder: Path) -> AbstractAsyncContextManager[FilmCamera]:
    """It publishes until the end of the block."""
    return filming("gstreamer", [*CLIENT, "publish", url, token, *SIZE, str(CLIP.fps)], folder)


@contextlib.asynccontextmanager
async def watching(url: str, token: str, name: str) -> AsyncIterator[Sight]:
    """What it shows, until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *CLIENT, "watch", url, token, *SIZE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    pipe = process.stdout

    async def picture() -> RGB:
        try:
            pixels = await pipe.readexactly(CLIP.width * CLIP.height * 3)
        except asyncio.IncompleteReadError:
            raise AssertionError("GStreamer ended; see stderr") from None
        return np.frombuffer(pixels, np.uint8).reshape(CLIP.height, CLIP.width, 3)

    try:
        async with looking(name, picture) as sight:
            yield sight
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()

"""Somebody else's program whose camera is its standard input, where it finds our film."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from tests.sfu.film import FilmCamera
from tests.sfu.program import TAIL, end


@contextlib.asynccontextmanager
async def filming(name: str, command: Sequence[str], folder: Path) -> AsyncIterator[FilmCamera]:
    """It publishes raw I420 until the end of the block; a failure inside shows what it said."""
    camera, path = FilmCamera(), folder / f"{name}.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log
        )
    assert process.stdin is not None
    feeding = asyncio.create_task(_feed(camera, process.stdin))
    try:
        yield camera
    except BaseException as error:
        said = path.read_text(errors="replace").splitlines()[-TAIL:]
        error.add_note("\n".join([f"{name} said:", *said]))
        raise
    finally:
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        # The end of its film: it says goodbye by itself.
        process.stdin.close()
        await end(process)


async def _feed(camera: FilmCamera, pipe: asyncio.StreamWriter) -> None:
    """Frames in the time of the camera; none any more once nobody reads them."""
    with contextlib.suppress(ConnectionError):
        while True:
            pipe.write((await camera.recv()).to_ndarray().tobytes())
            await pipe.drain()

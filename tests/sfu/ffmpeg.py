"""FFmpeg's command line, as the recipe in gateway/rooms/README.md has it but for the camera."""

import asyncio
import contextlib
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

from gateway import rooms
from tests.sfu.film import CLIP, HILLS, FilmCamera
from tests.sfu.install import FFMPEG
from tests.sfu.program import STOP_SECONDS, TAIL

RECIPES = Path(rooms.__file__).with_name("README.md")
WEBCAM = ["-f", "v4l2", "-i", "/dev/video0"]
"""The only words of the recipe that are replaced by others."""
FILM = [
    *("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{CLIP.width}x{CLIP.height}"),
    *("-framerate", str(CLIP.fps), "-i", "pipe:0"),
]


def recipe(gateway: str, token: str) -> list[str]:
    """The command as it stands there, for this gateway."""
    [written] = re.findall(r"^    (ffmpeg .*(?:\n        .*)*)", RECIPES.read_text(), re.MULTILINE)
    words = shlex.split(written.replace("\\\n", ""))
    at = words.index(WEBCAM[0])
    assert words[at : at + len(WEBCAM)] == WEBCAM
    words[at : at + len(WEBCAM)] = FILM
    [program] = (FFMPEG / "imageio_ffmpeg" / "binaries").glob("ffmpeg-*")
    values = {"GW": gateway, "TOKEN": token, "loft": HILLS.id}
    names = re.compile("|".join(values))
    return [str(program), *(names.sub(lambda found: values[found[0]], each) for each in words[1:])]


@contextlib.asynccontextmanager
async def ffmpeg(gateway: str, token: str, folder: Path) -> AsyncIterator[FilmCamera]:
    """It publishes to /whip/desk until the end of the block; a failure shows what it said."""
    camera, path = FilmCamera(), folder / "ffmpeg.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *recipe(gateway, token), stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log
        )
    assert process.stdin is not None
    feeding = asyncio.create_task(_feed(camera, process.stdin))
    try:
        yield camera
    except BaseException as error:
        said = path.read_text(errors="replace").splitlines()[-TAIL:]
        error.add_note("\n".join(["ffmpeg said:", *said]))
        raise
    finally:
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        # The end of its film: it says goodbye by itself.
        process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _feed(camera: FilmCamera, pipe: asyncio.StreamWriter) -> None:
    """Frames in the time of the camera; none any more once nobody reads them."""
    with contextlib.suppress(ConnectionError):
        while True:
            pipe.write((await camera.recv()).to_ndarray().tobytes())
            await pipe.drain()

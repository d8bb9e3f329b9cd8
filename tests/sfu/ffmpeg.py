"""FFmpeg's command line, as the recipe in gateway/rooms/README.md has it but for the camera."""

import re
import shlex
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from gateway import rooms
from tests.sfu.film import CLIP, HILLS, FilmCamera
from tests.sfu.filming import filming
from tests.sfu.install import FFMPEG

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


def ffmpeg(gateway: str, token: str, folder: Path) -> AbstractAsyncContextManager[FilmCamera]:
    """It publishes to /whip/desk until the end of the block."""
    return filming("ffmpeg", recipe(gateway, token), folder)

"""Footage to be keyed: pictures and videos, in folders or by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from models.errors import PictureError
from models.scenes import pictures, videos

Pixels = NDArray[np.uint8]

PICTURES: Final = pictures.ENDINGS | {".bmp", ".tif", ".tiff"}
VIDEOS: Final = videos.ENDINGS | {".avi", ".mts", ".mxf"}

SAMPLES: Final = 9
"""Frames of a clip that its screen is looked for in."""


@dataclass(frozen=True, slots=True)
class Footage:
    """One file to be keyed."""

    file: Path
    name: str
    """Its path below the folder it was given in, without ending; its place in the result."""

    @property
    def is_video(self) -> bool:
        """A clip, not one picture."""
        return self.file.suffix.lower() in VIDEOS


def find_footage(inputs: Sequence[Path]) -> list[Footage]:
    """All pictures and videos of the given files and folders, sorted within each folder.

    With several folders, everything is put below its folder's own name.

    Raises:
        PictureError: a path does not exist or holds nothing to key, or two would have one name.
    """
    found: list[Footage] = []
    folders = sum(path.is_dir() for path in inputs)
    for path in inputs:
        if path.is_dir():
            below = PurePath(path.resolve().name) if folders > 1 else PurePath()
            files = sorted(f for f in path.rglob("*") if f.suffix.lower() in PICTURES | VIDEOS)
            if not files:
                raise PictureError(f"{path} holds neither pictures nor videos; name their folder")
            found += [
                Footage(f, (below / f.relative_to(path).with_suffix("")).as_posix()) for f in files
            ]
        elif not path.is_file():
            raise PictureError(f"there is no file or folder {path}")
        elif path.suffix.lower() not in PICTURES | VIDEOS:
            known = ", ".join(sorted(PICTURES | VIDEOS))
            raise PictureError(f"{path} is no picture or video by its name ({known})")
        else:
            found.append(Footage(path, path.stem))
    places: dict[str, Path] = {}
    for footage in found:
        if footage.name in places:
            raise PictureError(
                f"{places[footage.name]} and {footage.file} would both become {footage.name}; "
                "rename one, or key them into different folders"
            )
        places[footage.name] = footage.file
    return found


def samples(footage: Footage) -> list[Pixels]:
    """A few frames, evenly spread over the clip, or the picture itself: H x W x 3 RGB each.

    Raises:
        MaterialUnfit: the file cannot be decoded.
    """
    if not footage.is_video:
        return [pictures.read_rgb(footage.file)]
    video = videos.Video(footage.file, "rgb24")
    count = len(video)
    try:
        return [video.frame(at) for at in sorted({count * n // SAMPLES for n in range(SAMPLES)})]
    finally:
        video.close()


def nothing_in(footage: Footage) -> PictureError:
    """What to raise where a video decodes to no frame."""
    return PictureError(f"{footage.file} has no frame that can be decoded; copy it again")


@dataclass(frozen=True, slots=True)
class Clip:
    """What is known of a video before it is decoded."""

    frames: int
    rate: Fraction
    """Frames a second."""


def describe(footage: Footage) -> Clip:
    """Length and rate of a video.

    Raises:
        MaterialUnfit: the file cannot be read.
    """
    count = len(videos.Video(footage.file, "rgb24"))
    with av.open(str(footage.file)) as container:
        rate = container.streams.video[0].average_rate
    return Clip(count, Fraction(rate) if rate else Fraction(25))


def frames(footage: Footage, every: int = 1) -> Iterator[Pixels]:
    """All frames of a video in order, upright, or each `every`-th: H x W x 3 RGB.

    Raises:
        PictureError: the video is damaged.
    """
    try:
        with av.open(str(footage.file)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for index, frame in enumerate(container.decode(stream)):
                if index % every == 0:
                    # Phones store how they were held: degrees counterclockwise to be upright.
                    turns = round(frame.rotation / 90) % 4
                    rgb = np.rot90(frame.to_ndarray(format="rgb24"), turns)
                    yield np.ascontiguousarray(rgb, dtype=np.uint8)
    except av.FFmpegError as error:
        raise PictureError(f"the video is damaged ({error.strerror}); copy it again") from error

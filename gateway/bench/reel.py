"""The frames that a synthetic camera shows, ready to be sent: I420 with the noise of a sensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.bench import card
from gateway.bench.scene import Scene
from gateway.matte import read_picture, read_plate
from gateway.matte_video import Frame, open_video
from models.errors import PictureError
from models.report import I420

EMPTY_FRAMES: Final = 8
"""Of the room alone: enough that its noise does not stand still."""
MOST_FRAMES: Final = 30
MOST_BYTES: Final = 200 * 1024 * 1024
"""Of the frames with the person: there and back in a second at 60 per second, fewer where they are
huge."""
NOISE: Final = 1.6
"""Standard deviation of luma, in steps of 255: a webcam in a lit room."""

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Reel:
    """Frames of the empty room, and of somebody in it, who moves there and back."""

    empty: Sequence[I420]
    present: Sequence[I420]

    def numbered(self, tick: int) -> I420:
        """A frame with the person and the number `tick` on their card; the caller's own."""
        pixels = _there_and_back(self.present, tick).copy()
        card.draw(pixels[: pixels.shape[0] * 2 // 3], tick)
        return pixels

    def plain(self, tick: int) -> I420:
        """A frame of the empty room; the caller's own."""
        return self.empty[tick % len(self.empty)].copy()


def _there_and_back(frames: Sequence[I420], tick: int) -> I420:
    turn = max(2 * len(frames) - 2, 1)
    place = tick % turn
    return frames[min(place, turn - place)]


def drawn(width: int, height: int) -> Reel:
    """The reel of `gateway.bench.scene`."""
    scene = Scene(width, height)
    count = most_frames(width, height)
    grain = Grain(width, height)
    phases = np.linspace(0, 1, count)
    return Reel(
        empty=[grain.exposed(_bytes(scene.room)) for _ in range(EMPTY_FRAMES)],
        present=[grain.exposed(_bytes(scene.present(phase))) for phase in phases],
    )


def filmed(clip: Path, plate: Path, width: int, height: int) -> Reel:
    """A reel from a picture or video of somebody, and one of the same scene without them.

    Both are cropped and scaled to the size. Raises `models.errors.PictureError`.
    """
    grain = Grain(width, height)
    empty = fitted(read_plate(plate), width, height)
    present = [
        grain.exposed(fitted(picture, width, height))
        for picture in islice(_pictures(clip), most_frames(width, height))
    ]
    if not present:
        raise PictureError(f"{clip} has no frame that can be decoded")
    return Reel([grain.exposed(empty) for _ in range(EMPTY_FRAMES)], present)


def most_frames(width: int, height: int) -> int:
    """How many frames with the person are kept at this size."""
    return max(2, min(MOST_FRAMES, MOST_BYTES // (width * height * 3 // 2)))


class Grain:
    """The noise of a sensor, the same in every run."""

    def __init__(self, width: int, height: int) -> None:
        self._generator = np.random.default_rng(0)
        sheet = self._generator.normal(0, NOISE, (height, width))
        self._sheet = np.rint(sheet).astype(np.int16)

    def exposed(self, picture: Rgb) -> I420:
        """A picture, (H, W, 3), as a camera's frame."""
        height = picture.shape[0]
        pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
        # One sheet, shifted: noise that never stands still, and is cheap.
        shift = tuple(self._generator.integers(0, self._sheet.shape))
        noisy = pixels[:height] + np.roll(self._sheet, shift, axis=(0, 1))
        pixels[:height] = noisy.clip(0, 255)
        return np.asarray(pixels, np.uint8)


def fitted(picture: Rgb, width: int, height: int) -> Rgb:
    """Scaled to cover the size, and cropped in the middle."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale))
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    larger = np.asarray(cv2.resize(picture, size, interpolation=mode), np.uint8)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return np.ascontiguousarray(larger[top : top + height, left : left + width])


def _pictures(path: Path) -> Iterator[Rgb]:
    if not path.is_file():
        raise PictureError(f"there is no file {path}")
    if cv2.haveImageReader(str(path)):
        yield read_picture(path)
        return
    with open_video(path) as container:
        for frame in container.decode(container.streams.video[0]):
            yield Frame(frame).pixels


def _bytes(picture: NDArray[np.float32]) -> Rgb:
    return np.asarray(np.rint(picture.clip(0, 255)), np.uint8)

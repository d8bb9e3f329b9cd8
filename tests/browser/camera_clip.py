"""A camera that shows an empty room, then a person who walks in: the clip Chromium is fed with.

The picture is what a webcam would give: noise, a slowly drifting exposure, 4:2:0 chroma. The clip
repeats (Chromium's fake camera starts it over), so its end joins its beginning.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parent.parent / "data"
ASTRONAUT = DATA / "astronaut.webp"
ROOM = DATA / "room-0001.jpg"

Phase = Literal["empty", "walking", "standing"]
RGB = NDArray[np.uint8]
Plane = NDArray[np.float32]


def read(path: Path) -> Plane:
    """A picture as H x W x 3 or 4, RGB(A), 0..1."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None, f"{path} is not a picture"
    order = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(pixels, order).astype(np.float32) / 255


@dataclass(frozen=True)
class CameraClip:
    """One clip: `empty` seconds without the person, then `present` seconds with them."""

    width: int = 640
    height: int = 360
    fps: int = 20
    empty: float = 12.0
    present: float = 10.0
    walk: float = 1.0
    """Seconds it takes to walk in and, at the end of `present`, out."""
    sway: float = 0.012
    """How far the standing person moves to either side, in widths of the picture."""
    sway_seconds: float = 2.0
    tall: float = 0.92
    """Height of the cut-out in heights of the picture; it stands on the lower edge."""
    noise: float = 1.6
    """Standard deviation of the sensor's noise, in steps of 1/255."""
    drift: float = 0.015
    """How much the exposure swings to either side over one clip."""
    person: Path = ASTRONAUT
    room: Path = ROOM

    @property
    def frames(self) -> int:
        """How many frames the clip has."""
        return round((self.empty + self.present) * self.fps)

    @property
    def standing(self) -> range:
        """The frames where the person has arrived: one turn of their swaying."""
        first = math.ceil((self.empty + self.walk) * self.fps)
        return range(first, first + round(self.sway_seconds * self.fps))

    def phase(self, index: int) -> Phase:
        """What is to be seen in frame `index`."""
        if self.present == 0 or index < self.empty * self.fps:
            return "empty"
        return "standing" if self._away(index) == 0 else "walking"

    def alpha(self, index: int) -> Plane:
        """The true alpha of frame `index`: H x W, 0..1."""
        if self.phase(index) == "empty":
            return np.zeros((self.height, self.width), np.float32)
        return self._placed(index)[..., 3]

    def frame(self, index: int) -> RGB:
        """Frame `index` as a perfect camera would see it: H x W x 3, without noise and drift."""
        picture = self._room
        if self.phase(index) != "empty":
            placed = self._placed(index)
            picture = picture + placed[..., 3:] * (placed[..., :3] - picture)
        return np.rint(picture * 255).astype(np.uint8)

    @cached_property
    def standing_frames(self) -> list[RGB]:
        """One turn of the swaying, `standing`, as a perfect camera would see it."""
        return [self.frame(index) for index in self.standing]

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Where the person is in every standing frame, well away from their edge."""
        always = np.min([self.alpha(index) for index in self.standing], axis=0) > 0.99
        return cv2.erode(always.astype(np.uint8), _disc(self.height // 90)).astype(bool)

    @cached_property
    def outside(self) -> NDArray[np.bool_]:
        """Where the room is in every standing frame, well away from the person's edge."""
        ever = np.max([self.alpha(index) for index in self.standing], axis=0) > 0.01
        return ~cv2.dilate(ever.astype(np.uint8), _disc(self.height // 45)).astype(bool)

    def write(self, path: Path) -> Path:
        """Render the clip into the y4m file `path`; returns `path`."""
        with path.open("wb") as file:
            file.write(b"YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n" % self._header)
            for i420 in self.exposures():
                file.write(b"FRAME\n")
                file.write(i420.tobytes())
        return path

    @property
    def _header(self) -> tuple[int, int, int]:
        return self.width, self.height, self.fps

    @cached_property
    def _room(self) -> Plane:
        return cv2.resize(read(self.room), (self.width, self.height), interpolation=cv2.INTER_AREA)

    @cached_property
    def _cut_out(self) -> Plane:
        """The person at the size of the clip, premultiplied so that resizing leaves no fringe."""
        pixels = read(self.person)
        rows, columns = np.nonzero(pixels[..., 3] > 0.02)
        pixels = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        pixels[..., :3] *= pixels[..., 3:]
        scale = self.tall * self.height / pixels.shape[0]
        size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)

    def _away(self, index: int) -> float:
        """How far the person still is, or already is again, from their place: 0..1."""
        since = index / self.fps - self.empty
        left = self.present - since
        near = min(since, left) / self.walk if self.walk else 1.0
        return 0.0 if near >= 1 else 1 - math.sin(near * math.pi / 2)

    def _placed(self, index: int) -> Plane:
        """The person where they are in frame `index`: H x W x 4, straight alpha."""
        height, width = self._cut_out.shape[:2]
        turn = 2 * math.pi * (index - self.standing[0]) / len(self.standing)
        away = self._away(index) * (self.width + width) / 2
        grow = 1 + 0.004 * math.sin(2 * turn)
        left = (self.width - grow * width) / 2 + self.sway * self.width * math.sin(turn) + away
        top = self.height - grow * height + 1
        where = np.array([[grow, 0, left], [0, grow, top]], np.float32)
        placed = cv2.warpAffine(
            self._cut_out, where, (self.width, self.height), flags=cv2.INTER_LINEAR
        )
        alpha = placed[..., 3:]
        return np.concatenate([placed[..., :3] / np.maximum(alpha, 1e-4), alpha], axis=2).clip(0, 1)

    def exposures(self) -> Iterator[NDArray[np.uint8]]:
        """Every frame as I420, (3H/2) x W; standing frames are drawn once and exposed anew."""
        generator = np.random.default_rng(0)
        grain = generator.normal(0, self.noise, (8, self.height, self.width, 1)).astype(np.float32)
        drawn: dict[int, RGB] = {}
        for index in range(self.frames):
            phase = self.phase(index)
            same = index
            if phase == "empty":
                same = 0
            elif phase == "standing":
                same = self.standing[(index - self.standing[0]) % len(self.standing)]
            if same not in drawn:
                drawn[same] = self.frame(same)
            gain = 1 + self.drift * math.sin(2 * math.pi * index / self.frames)
            # The same few sheets of grain, shifted: noise that never stands still, and is cheap.
            shift = tuple(generator.integers(0, (self.height, self.width)))
            sheet = np.roll(grain[index % len(grain)], shift, axis=(0, 1))
            exposed = np.rint(drawn[same] * np.float32(gain) + sheet).clip(0, 255)
            yield cv2.cvtColor(exposed.astype(np.uint8), cv2.COLOR_RGB2YUV_I420)


def _disc(radius: int) -> NDArray[np.uint8]:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))

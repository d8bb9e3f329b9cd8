"""Clips for what only moving pictures show: a person moves, the room stands still.

People of a set of pictures sway and lean by a path that is drawn; people of a set with clips move
as they were filmed. The camera does not move, and the plate stays the same for the whole clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.recipes import Recipe, inner
from models.evaluation.sets import COMPOSING, Map, Sample, StillSet
from models.scenes.camera import Generator, Image, from_bytes
from models.scenes.composition import compose
from models.scenes.material import open_clips
from models.scenes.public_sets import PUBLIC_SETS

FRAMES: Final = 24
"""Frames of a clip, at 30 a second."""

_EMPTY = replace(COMPOSING, nobody=1, shadows=0)


def clip(stills: StillSet, index: int, recipe: Recipe, frames: int = FRAMES) -> Iterator[Sample]:
    """The frames of clip number `index`, in order; the same on every machine.

    Filmed people where the set has clips, else person number `index` of it in motion.

    Raises:
        MaterialMissing: nothing of the split is there.
    """
    if PUBLIC_SETS[stills.people.set].layout == "pairs":
        clips = open_clips(stills.people, stills.root, stills.people_split)
        film = clips[index % len(clips)]
        start = max(len(film) // 2 - frames // 2, 0)
        cutouts: Sequence[NDArray[np.uint8]] = film[start : start + frames]
        rng = stills.generator("clip", index)
        paths = [_fitted(cutouts[0], stills.size)] * len(cutouts)
    else:
        rng = stills.generator("clip", index)
        person = stills.cutouts[int(rng.integers(len(stills.cutouts)))]
        paths = _paths(person, stills.size, frames, rng)
        cutouts = [person] * frames
    yield from _seen(stills, index, recipe, cutouts, paths, rng)


def _seen(
    stills: StillSet,
    index: int,
    recipe: Recipe,
    cutouts: Sequence[NDArray[np.uint8]],
    paths: Sequence[NDArray[np.float64]],
    rng: Generator,
) -> Iterator[Sample]:
    room = stills.backgrounds[int(rng.integers(len(stills.backgrounds)))]
    empty = compose([cutouts[0]], [room], stills.wide_size, rng, _EMPTY).empty
    camera = stills.generator(f"clip {recipe.name}", index)
    plate, behind = recipe.plate(empty, camera), inner(empty)
    for number, (cutout, path) in enumerate(zip(cutouts, paths, strict=True)):
        colour, alpha = layer(cutout, path, stills.size)
        picture = colour + (1 - alpha[..., None]) * behind
        # Below 1/255 of coverage a colour cannot be told from the room's.
        shown = alpha[..., None] > 1 / 255
        foreground = np.where(shown, colour / np.maximum(alpha, 1 / 255)[..., None], picture)
        yield Sample(
            f"clip {index}, frame {number}",
            recipe.frame(picture, camera),
            plate,
            np.where(alpha < 1 / 255, np.float32(0), alpha),
            np.clip(foreground, 0, 1).astype(np.float32),
        )


def layer(
    cutout: NDArray[np.uint8], path: NDArray[np.float64], size: tuple[int, int]
) -> tuple[Image, Map]:
    """A cut-out (straight alpha) moved by a 2 x 3 matrix: premultiplied colour, and alpha."""
    pixels = _premultiplied(cutout)
    scale = float(np.hypot(path[0, 0], path[1, 0]))
    if scale < 1:
        # Bilinear warps alias below one half: average first, then move by what is left.
        rows, columns = (max(round(side * scale), 1) for side in cutout.shape[:2])
        x, y = columns / cutout.shape[1], rows / cutout.shape[0]
        small = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
        pixels = np.asarray(small, dtype=np.float32)
        path = np.column_stack([path[:, 0] / x, path[:, 1] / y, path[:, 2]])
    moved = np.asarray(cv2.warpAffine(pixels, path, (size[1], size[0])), dtype=np.float32)
    return np.ascontiguousarray(moved[..., :3]), np.ascontiguousarray(moved[..., 3])


def _premultiplied(cutout: NDArray[np.uint8]) -> Image:
    pixels = from_bytes(cutout)
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def _fitted(cutout: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float64]:
    """Filmed frames fill the height and stand in the middle."""
    scale = size[0] / cutout.shape[0]
    return np.array([[scale, 0, (size[1] - cutout.shape[1] * scale) / 2], [0, scale, 0]])


def _paths(
    person: NDArray[np.uint8], size: tuple[int, int], frames: int, rng: Generator
) -> list[NDArray[np.float64]]:
    """Swaying and leaning about the feet, or about what the frame's lower edge cuts off."""
    height, width = size
    rows, columns = person.shape[:2]
    tall = height * rng.uniform(0.8, 1.1)
    cut_below = bool(person[-4:, :, 3].max() > 127)
    foot = height + 0.06 * tall if cut_below else min(height - 4, (height + tall) / 2)
    x = width * rng.uniform(0.35, 0.65)
    # Somebody who talks to a camera: the head of 1280 columns moves by 1 pixel a frame, at times 3.
    reach, lean = width * rng.uniform(0.005, 0.025), np.radians(rng.uniform(0.5, 2))
    period, phase = rng.uniform(2.0, 4.0), rng.uniform(0, 2 * np.pi)
    paths = []
    for number in range(frames):
        swing = np.sin(2 * np.pi * number / 30 / period + phase)
        breath = 1 + 0.01 * np.sin(2 * np.pi * number / 30 / 1.3 + phase)
        scale, angle = tall / rows * breath, lean * swing
        cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
        linear = np.array([[cosine, -sine], [sine, cosine]])
        shift = np.array([x + reach * swing, foot]) - linear @ np.array([columns / 2, rows])
        paths.append(np.column_stack([linear, shift]))
    return paths

"""Every augmentation by itself, so that each can be looked at and none hides behind another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np

from models.scenes.camera import Generator
from models.scenes.chances import Degradation, Recipe
from models.scenes.composition import Scene, compose
from models.scenes.degradation import degrade, degrade_plate
from models.scenes.pictures import Picture
from models.scenes.recipes import DRIFTED_SHIFT
from models.scenes.sample import Sample

UNTOUCHED: Final = Recipe(
    two_people=0, nobody=0, props=0, shadows=0, lookalike=0, misaligned=0, affine=False, flip=0,
    grade=0,
)  # fmt: skip
"""One person upright in the middle of a room, as the pictures are."""

PERFECT: Final = Degradation(
    light=0, dim=0, drift=0, shade=0, defocus=0, sharpen=0, noise=0, jpeg=0, vp8=0, h264=0, chroma=0
)
"""Cameras that change nothing."""


_PERFECTLY: Final = partial(degrade, chances=PERFECT)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """One augmentation that always strikes, and nothing besides."""

    text: str
    """What to look for, for the sheet's label."""
    recipe: Recipe = UNTOUCHED
    see: Callable[[Scene, Generator], Sample] = _PERFECTLY
    """What the cameras make of the scene."""

    def __call__(
        self,
        people: Sequence[Picture],
        rooms: Sequence[Picture],
        size: tuple[int, int],
        seed: int,
    ) -> Sample:
        """A sample of `size` (rows, columns); one seed shows one person in one room in all."""
        draw = np.random.default_rng(seed)
        person, room = int(draw.integers(len(people))), int(draw.integers(len(rooms)))
        # Whoever comes second is drawn, and hardly ever the first once more.
        cast = [people[person], *[people[(person + 1) % len(people)]] * 7]
        scene = compose(
            cast, [rooms[room]], size, np.random.default_rng(seed), self.recipe, 0,
            textures=[rooms[room - 1]],
        )  # fmt: skip
        return self.see(scene, np.random.default_rng(seed))


def _scene(text: str, **chances: float | bool | tuple[float, float]) -> Augmentation:
    return Augmentation(text, recipe=replace(UNTOUCHED, **chances))  # type: ignore[arg-type]  # by name


def _camera(text: str, **chances: float) -> Augmentation:
    return Augmentation(text, see=partial(degrade, chances=replace(PERFECT, **chances)))


AUGMENTATIONS: Final[Mapping[str, Augmentation]] = MappingProxyType(
    {
        "none": Augmentation("the person and the room as they are"),
        "affine": _scene("person and room scaled, turned, moved by themselves", affine=True),
        "flip": _scene("person and room mirrored", flip=1),
        "zoom": _scene("a window of a frame twice as large", zoom=(2.0, 2.0)),
        "focus": _scene("that window at the person's hair", zoom=(2.0, 2.0), focus=1),
        "light of the person": _scene(
            "brightness, contrast, saturation and tint of the person", grade=1
        ),
        "colours": _scene("hue of person and room, light and saturation of the room", colours=1),
        "blur": _scene("person and room out of focus by themselves", soft=1),
        "sharpening": _scene("person and room sharpened by themselves", crisp=1),
        "grain": _scene("noise that is in the person and in the room", grainy=1),
        "several people": _scene(
            "two people, each in a place of their own", two_people=1, affine=True
        ),
        "props": _scene("a held thing belongs to the foreground", props=1),
        "lookalike": _scene("clothes in the room's colour", lookalike=1),
        "shadows": _scene("the person's shadow, on the source only", shadows=1),
        "misalignment": _scene("the camera moved between plate and source", misaligned=1),
        "drifted plate": Augmentation(
            "a plate of some time ago: moved, darker or brighter, another white balance",
            replace(UNTOUCHED, misaligned=1, shift=DRIFTED_SHIFT),
            degrade_plate,
        ),
        "light": _camera("another light for source and plate alike", light=1),
        "low light": _camera("dark and noisy", dim=1, noise=1),
        "exposure drift": _camera("the plate's exposure", drift=1, tint=0),
        "white balance drift": _camera("the plate's white balance", drift=1, exposure=0),
        "uneven light": _camera("light that falls differently over the plate", shade=1),
        "defocus": _camera("the whole camera out of focus or shaken", defocus=1),
        "camera sharpening": _camera("halos over the whole picture", sharpen=1),
        "noise": _camera("sensor noise of both, each its own", noise=1),
        "median plate": _camera("noise of the source, median of noisy frames", noise=1, median=1),
        "JPEG": _camera("compressed by the camera (MJPEG)", jpeg=1),
        "4:2:0": _camera("chroma at half the resolution", chroma=1),
        "VP8": _camera("VP8 of a quantiser", vp8=1),
        "H.264": _camera("H.264 of a quantiser", h264=1),
        "VP8 bitrate": _camera("VP8 of a bitrate as WebRTC gives", vp8=1, bitrate=1),
        "H.264 bitrate": _camera("H.264 of a bitrate as WebRTC gives", h264=1, bitrate=1),
    }
)
"""By the name that stands in the contact sheet."""

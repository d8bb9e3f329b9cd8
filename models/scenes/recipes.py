"""How the samples of a batch are drawn: as WebRTC cameras see people, or as the paper does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Protocol

from models.scenes.camera import Generator
from models.scenes.chances import Degradation, Recipe
from models.scenes.composition import compose
from models.scenes.degradation import degrade, degrade_little, degrade_plate
from models.scenes.paper import paper
from models.scenes.pictures import Picture
from models.scenes.sample import Sample

SCENES: Final = Recipe(colours=0.5, soft=0.1, crisp=0.1, grainy=0.15)
"""What stands before our cameras."""

CAMERAS: Final = Degradation(median=0.5, bitrate=0.6)
"""What our cameras and the way to the gateway do to it."""

DRIFTED_SHIFT: Final = 0.012
"""Largest movement of a plate that has drifted, as share of the width: 6 px of a window 512 wide,
so that a third of them are more than 2 px off (`Recipe.shift` says how it is drawn)."""


class DrawBatch(Protocol):
    """Draws all samples of a batch from the generator alone."""

    def __call__(
        self,
        foregrounds: Sequence[Picture],
        backgrounds: Sequence[Picture],
        size: tuple[int, int],
        rng: Generator,
        count: int,
        *,
        zoom: tuple[float, float] = (1.0, 1.0),
        focus: float = 0.0,
        clean: float = 0.0,
        drifted: float = 0.0,
        chosen: Sequence[int] | None = None,
    ) -> list[Sample]:
        """Draw `count` samples.

        Args:
            foregrounds: people, H x W x 4, straight alpha.
            backgrounds: empty places, H x W x 3.
            size: rows and columns of every sample.
            rng: decides everything.
            count: samples.
            zoom: see `Recipe.zoom`.
            focus: see `Recipe.focus`.
            clean: share of samples from a good camera that stands still in daylight: what differs
                between source and plate is a little noise and exposure. Fine hair can be learned
                from them, where the others have lost it.
            drifted: share of samples from a good camera whose plate is no longer what it sees:
                moved by some pixels, and darker or brighter as a whole.
            chosen: the numbers of the samples in an epoch, `count` of them: number n shows
                foreground n modulo their count. Without it people are drawn.
        """


def webrtc(
    foregrounds: Sequence[Picture],
    backgrounds: Sequence[Picture],
    size: tuple[int, int],
    rng: Generator,
    count: int,
    *,
    zoom: tuple[float, float] = (1.0, 1.0),
    focus: float = 0.0,
    clean: float = 0.0,
    drifted: float = 0.0,
    chosen: Sequence[int] | None = None,
) -> list[Sample]:
    """Our recipe: composed by `compose`, seen by `degrade`, every sample by itself."""
    usual = replace(SCENES, zoom=zoom, focus=focus)
    still = replace(usual, misaligned=0)
    moved = replace(usual, misaligned=1, shift=DRIFTED_SHIFT)
    samples = []
    for index in range(count):
        first = None if chosen is None else chosen[index] % len(foregrounds)
        # Drawn only where it decides something: the same numbers as without it, then.
        draw = rng.random() if clean or drifted else 1.0
        if draw < clean:
            scene = compose(foregrounds, backgrounds, size, rng, still, first)
            samples.append(degrade_little(scene, rng))
        elif draw < clean + drifted:
            scene = compose(foregrounds, backgrounds, size, rng, moved, first)
            samples.append(degrade_plate(scene, rng))
        else:
            scene = compose(foregrounds, backgrounds, size, rng, usual, first)
            samples.append(degrade(scene, rng, CAMERAS))
    return samples


RECIPES: Final[Mapping[str, DrawBatch]] = MappingProxyType({"webrtc": webrtc, "paper": paper})
"""By the name that a plan's stage gives."""

"""How the samples of a batch are drawn: as WebRTC cameras see people, or as the paper does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Protocol

from models.scenes.camera import Generator
from models.scenes.chances import Degradation, Recipe
from models.scenes.composition import compose
from models.scenes.degradation import degrade, degrade_little
from models.scenes.paper import paper
from models.scenes.pictures import Picture
from models.scenes.sample import Sample

SCENES: Final = Recipe(colours=0.5, soft=0.1, crisp=0.1, grainy=0.15)
"""What stands before our cameras."""

CAMERAS: Final = Degradation(median=0.5, bitrate=0.6)
"""What our cameras and the way to the gateway do to it."""


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
    chosen: Sequence[int] | None = None,
) -> list[Sample]:
    """Our recipe: composed by `compose`, seen by `degrade`, every sample by itself."""
    usual = replace(SCENES, zoom=zoom, focus=focus)
    still = replace(usual, misaligned=0)
    samples = []
    for index in range(count):
        first = None if chosen is None else chosen[index] % len(foregrounds)
        good = clean > 0 and rng.random() < clean
        scene = compose(foregrounds, backgrounds, size, rng, still if good else usual, first)
        samples.append(degrade_little(scene, rng) if good else degrade(scene, rng, CAMERAS))
    return samples


RECIPES: Final[Mapping[str, DrawBatch]] = MappingProxyType({"webrtc": webrtc, "paper": paper})
"""By the name that a plan's stage gives."""

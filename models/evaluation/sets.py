"""Sets of scenes that are made on the fly, the same ones on every machine.

Scene number n of a set follows from the set, the seed and n alone: not from how many scenes,
sets, recipes or contenders there are.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.recipes import MARGIN, Recipe, inner
from models.scenes.camera import Generator, Image, to_bytes
from models.scenes.composition import Recipe as Composing
from models.scenes.composition import Scene, compose
from models.scenes.material import (
    Material,
    Split,
    open_backgrounds,
    open_foregrounds,
    people_files,
    room_files,
)
from models.scenes.public_sets import PUBLIC_SETS

Map = NDArray[np.float32]

SEED: Final = 20_26

TWO_PEOPLE: Final = 0.1

# All chances are named: what training draws may change, these scenes may not.
COMPOSING: Final = Composing(
    two_people=0,
    nobody=0,
    props=0,
    shadows=0.3,
    lookalike=0,
    misaligned=0,
    zoom=(1.0, 1.0),
    affine=True,
    flip=0.5,
    grade=1,
    colours=0,
    soft=0,
    crisp=0,
    grainy=0,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a contender is shown, and the truth."""

    name: str
    source: Image
    """H x W x 3, RGB, 0..1."""
    plate: Image
    alpha: Map
    """H x W, 0..1."""
    foreground: Image
    """H x W x 3; means something where alpha is above 0."""

    @property
    def checksum(self) -> int:
        """Of source, plate and alpha in 8 bits: tells whether two machines saw the same."""
        total = 0
        for picture in (self.source, self.plate, self.alpha):
            total = zlib.crc32(to_bytes(picture).tobytes(), total)
        return total


def seen(scene: Scene, recipe: Recipe, rng: Generator, name: str) -> Sample:
    """A scene, composed with a margin of `MARGIN` around the frame, as `recipe` shows it."""
    return Sample(
        name,
        recipe.source(inner(scene.picture), rng),
        recipe.plate(scene.empty, rng),
        inner(scene.alpha),
        inner(scene.foreground),
    )


@dataclass(frozen=True)
class StillSet:
    """Held-back people over held-back rooms.

    Args:
        people: a set with people.
        rooms: a set of rooms or backgrounds.
        root: the folder of all data.
        size: rows and columns.
        split: `validation` or `test`; a set that is only for testing gives its test pictures
            whatever this says.
    """

    people: Material
    rooms: Material
    root: Path
    size: tuple[int, int]
    split: Split = "validation"

    @property
    def name(self) -> str:
        """The folder: what the report calls the set."""
        return self.people.folder

    def generator(self, purpose: str, index: int) -> Generator:
        """Randomness that follows from the set, a purpose and a number; not from a folder's name,
        so that it is the same for everybody."""
        words = [zlib.crc32(word.encode()) for word in (self.people.set, purpose)]
        return np.random.default_rng((SEED, *words, index))

    @property
    def people_split(self) -> Split:
        """The split that people are taken from."""
        described = PUBLIC_SETS.get(self.people.set)
        return "test" if described and described.test_only else self.split

    @cached_property
    def cutouts(self) -> Sequence[NDArray[np.uint8]]:
        """H x W x 4, decoded when looked at."""
        return open_foregrounds(self.people, self.root, self.people_split)

    @cached_property
    def backgrounds(self) -> Sequence[NDArray[np.uint8]]:
        """H x W x 3, decoded when looked at."""
        # Rooms know no test split: there are none that nobody has trained on but those held back.
        split: Split = "validation" if self.rooms.set == "rooms" else self.split
        return open_backgrounds(self.rooms, self.root, split)

    def require(self) -> None:
        """Raises `MaterialMissing` or `MaterialUnfit` unless people and rooms are there."""
        _ = self.cutouts, self.backgrounds

    @property
    def wide_size(self) -> tuple[int, int]:
        """Rows and columns of a scene with its margin."""
        return self.size[0] + 2 * MARGIN, self.size[1] + 2 * MARGIN

    def scene(self, index: int) -> Scene:
        """Scene number `index`, with a margin of `MARGIN` around the frame."""
        rng = self.generator("scene", index)
        who, where = self._chosen(index, rng)
        people, composing = [self.cutouts[who]], COMPOSING
        if rng.random() < TWO_PEOPLE:
            people.append(self.cutouts[int(rng.integers(len(self.cutouts)))])
            composing = replace(COMPOSING, two_people=1)
        return compose(people, [self.backgrounds[where]], self.wide_size, rng, composing)

    def sample(self, index: int, recipe: Recipe, scene: Scene | None = None) -> Sample:
        """Scene number `index`, made again unless given, as `recipe` shows it."""
        scene = scene or self.scene(index)
        return seen(scene, recipe, self.generator(recipe.name, index), self.title_of(index))

    def samples(self, recipe: Recipe, count: int) -> Iterator[Sample]:
        """The first `count` scenes."""
        return (self.sample(index, recipe) for index in range(count))

    def title_of(self, index: int) -> str:
        """Number and contents of a scene, by the files' names if they are known."""
        who, where = self._chosen(index, self.generator("scene", index))
        people, rooms = self.names
        person = people[who] if people else f"person {who}"
        room = rooms[where] if rooms else f"background {where}"
        return f"scene {index}: {person} in {room}"

    @cached_property
    def names(self) -> tuple[list[str], list[str]]:
        """Of the files of `cutouts` and of `backgrounds`, without their endings; each empty where
        a set has none that mean anything."""
        people = rooms = None
        if self.people.set == "cut-outs":
            people = people_files(self.root / self.people.folder, self.people_split)
        if self.rooms.set == "rooms":
            rooms = room_files(self.root / self.rooms.folder, "validation")
        return [file.stem for file in people or ()], [file.stem for file in rooms or ()]

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        # A few scenes should already show portraits and whole figures, which sort apart.
        return self.generator("order", 0).permutation(len(self.cutouts))

    def _chosen(self, index: int, rng: Generator) -> tuple[int, int]:
        """Numbers of person and room; everybody is in the first scenes once."""
        where = int(rng.integers(len(self.backgrounds)))
        return int(self._order[index % len(self._order)]), where

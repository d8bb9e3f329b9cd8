"""People who were chosen to be looked at, each in a scene of their own."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import MattingError
from models.evaluation.cases import Case, make_case
from models.evaluation.contender import Contender
from models.evaluation.examination import Progress, Tally, answer_still
from models.evaluation.look import Look
from models.evaluation.recipes import Recipe
from models.evaluation.scores import score
from models.evaluation.sets import COMPOSING, Sample, StillSet, seen
from models.evaluation.sheet import contact_sheet, row
from models.scenes.composition import compose
from models.scenes.errors import MaterialMissing

UPRIGHT: Final = replace(COMPOSING, affine=False, flip=0, grade=0)
"""Everybody in the middle as at a desk, in the colours of their picture: nothing that is to be
looked at is cut off."""

_THUMBNAIL: Final = (64, 48)
"""Columns and rows of a room whose colours are compared."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What all contenders made of one group."""

    look: Look
    stills: StillSet
    recipe: Recipe
    tallies: dict[str, Tally]
    """By the contender's name; samples in the order of the group's people."""
    cases: Sequence[Case]
    sheet: bytes
    """The contact sheet as JPEG."""

    @property
    def file(self) -> str:
        """The sheet's name in the report."""
        return f"looks-{self.look.name}.jpg"


@dataclass(frozen=True)
class Gallery:
    """Scenes with chosen people of a set.

    Args:
        stills: the set; its people must have names.
    """

    stills: StillSet

    def require(self, looks: Sequence[Look]) -> None:
        """Raises `MaterialMissing` that names whoever is not there."""
        known = set(self._people)
        missing = [f"{name} ({look.name})" for look in looks for name in look.people
                   if name not in known]  # fmt: skip
        if missing:
            raise MaterialMissing(
                f"among the people for {self.stills.people_split} in "
                f"{self.stills.root / self.stills.name} there is no {', '.join(missing)}: name "
                "others in the file of the looks, or leave them out"
            )

    def sample(self, name: str, look: Look, recipe: Recipe) -> Sample:
        """The person called `name`: the same scene whoever else is in the group."""
        rng = self.stills.generator("look", zlib.crc32(name.encode()))
        person = self.stills.cutouts[self._people[name]]
        drawn = int(rng.integers(len(self.stills.backgrounds)))
        where = drawn if look.rooms == "drawn" else self._alike(person)
        rooms = self.stills.names[1]
        title = f"{name} in {rooms[where] if rooms else f'background {where}'}"
        room = self.stills.backgrounds[where]
        scene = compose([person], [room], self.stills.wide_size, rng, UPRIGHT)
        return seen(scene, recipe, rng, title)

    def look_at(
        self, look: Look, contenders: Sequence[Contender], recipe: Recipe, progress: Progress
    ) -> Looked:
        """Show one group to all contenders, and score what they answer."""
        tallies = {contender.name: Tally() for contender in contenders}
        cases, rows = [], []
        for name in look.people:
            sample = self.sample(name, look, recipe)
            answers = [answer_still(contender, sample) for contender in contenders]
            scores = [score(answer, sample) for answer in answers]
            cases.append(make_case(contenders, answers, sample, scores))
            for tally, own in zip(tallies.values(), scores, strict=True):
                tally.samples.append(own)
                progress.update()
            rows += [
                row(f"{sample.name}, {contender.name}", sample, answer)
                for contender, answer in zip(contenders, answers, strict=True)
            ]
        sheet = contact_sheet(look.title, rows)
        return Looked(look, self.stills, recipe, tallies, cases, sheet)

    @cached_property
    def _people(self) -> dict[str, int]:
        names = self.stills.names[0]
        if not names:
            raise MattingError(
                f"the people of {self.stills.name} have no names to choose them by: --looks needs "
                "--set cut-outs=FOLDER"
            )
        return {name: index for index, name in enumerate(names)}

    def _alike(self, person: NDArray[np.uint8]) -> int:
        """Number of the room whose colours, where the clothes will be, are nearest to them."""
        colour = clothes(person)
        gaps = [np.linalg.norm(room - colour, axis=-1).mean() for room in self._rooms]
        return int(np.argmin(gaps))

    @cached_property
    def _rooms(self) -> list[NDArray[np.float32]]:
        """The lower middle of every room, small, in CIELAB."""
        columns, rows = _THUMBNAIL
        lower_middle = slice(rows // 2, None), slice(columns // 4, -(columns // 4))
        small = (
            np.asarray(cv2.resize(room, _THUMBNAIL, interpolation=cv2.INTER_AREA), dtype=np.uint8)
            for room in self.stills.backgrounds
        )
        return [_lab(room[lower_middle]) for room in small]


def clothes(person: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The median colour in CIELAB of a person's lower half: H x W x 4, straight alpha."""
    solid = person[..., 3] > 250
    rows = np.flatnonzero(solid.any(1))
    if not rows.size:
        raise MattingError("a cut-out without a solid pixel has no clothes: choose another person")
    middle = (int(rows[0]) + int(rows[-1])) // 2
    colours = person[middle:, :, :3][solid[middle:]]
    return np.asarray(np.median(_lab(colours[None])[0], axis=0), dtype=np.float32)


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    scaled = rgb.astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab), dtype=np.float32)

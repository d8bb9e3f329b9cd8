"""A plan: which network is trained on what, stage by stage. A TOML file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from models.named_file import Shelf
from models.network import Backbone, MattingConfig, MattingNetwork
from models.scenes.material import Material
from models.training.errors import TrainingError
from models.training.stage import Stage

PLANS: Final = Shelf(Path(__file__).parent / "plans", "plan", TrainingError)

RANDOM: Final = "random"
"""Instead of an encoder's file."""

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Source:
    """One set of people or rooms."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    set: str
    """Its layout: a key of `models.scenes.public_sets.PUBLIC_SETS`."""
    folder: str
    """Below the data's folder."""
    about: str = ""
    """What it is, where it comes from and on what terms: for the card."""
    keep: bool = False
    """Decode all of it at the start and keep it in memory, about 2 MB a picture."""

    @property
    def material(self) -> Material:
        """As the readers of `models.scenes` take it."""
        return Material(self.set, self.folder)


@dataclass(frozen=True, slots=True)
class Examination:
    """What the moving average is scored on while it trains."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    height: int = 720
    width: int = 1280
    scenes: int = 40
    base_scale: float = 0.375
    """Also the scale that the released weights' card recommends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages in order, and what all of them share.

    Raises:
        ValueError: a stage names material that the plan does not have, or two have one name.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    """The file's, without its ending."""
    about: str
    """One sentence."""
    architecture: Backbone
    stages: tuple[Stage, ...]
    """`[[stage]]` in the file."""
    material: Mapping[str, Source]
    refine_kernel: Literal[1, 3] = 3
    encoder: str = ""
    """Weights that the encoder starts from, below the data's folder; random without."""
    encoder_about: str = ""
    """Where they come from, for the card."""
    licence: str = "as the terms of the material allow"
    """Of released weights."""
    examination: Examination = field(default_factory=Examination)

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        fit = all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in names)
        if not names or not fit or len(set(names)) < len(names):
            raise ValueError(
                "every plan needs stages, each with a name of its own of letters, digits and -"
            )
        for stage in self.stages:
            for kind in ("foregrounds", "backgrounds"):
                wanted: tuple[str, ...] = getattr(stage, kind)
                unknown = [name for name in wanted if name not in self.material]
                if unknown or not wanted:
                    raise ValueError(
                        f"stage {stage.name!r} needs {kind} out of {sorted(self.material)}, "
                        f"not {list(wanted)}"
                    )

    def stage(self, name: str) -> Stage:
        """The stage of that name; raises `TrainingError` that lists the names there are."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        names = ", ".join(stage.name for stage in self.stages)
        raise TrainingError(f"the plan {self.name} has no stage {name!r}; it has: {names}")

    def without(self, *material: str) -> Plan:
        """The same plan with sets left out; a stage that has nobody left falls away with them.

        Raises:
            ValueError: no stage is left, or one has no backgrounds left.
        """
        stages = []
        for stage in self.stages:
            people = tuple(name for name in stage.foregrounds if name not in material)
            rooms = tuple(name for name in stage.backgrounds if name not in material)
            if people:
                stages.append(replace(stage, foregrounds=people, backgrounds=rooms))
        kept = {name: source for name, source in self.material.items() if name not in material}
        return replace(self, stages=tuple(stages), material=kept)

    def shortened(self, steps: int) -> Plan:
        """The same plan, every stage ended after so many steps at most."""
        return replace(
            self,
            stages=tuple(
                replace(stage, steps=min(stage.steps or steps, steps)) for stage in self.stages
            ),
        )

    def starting_from(self, encoder: str | Path) -> Plan:
        """The same plan with another encoder's file, relative to where we are, or `random`."""
        # Absolute, because a plan's own encoder lies below the data's folder.
        file = "" if str(encoder) == RANDOM else str(Path(encoder).resolve())
        return replace(self, encoder=file, encoder_about=Path(file).name)

    def network(self) -> MattingNetwork:
        """A fresh one; its parameters are drawn from torch's generator."""
        return MattingNetwork(
            MattingConfig(
                backbone=self.architecture,
                refine_kernel=self.refine_kernel,
                base_scale=self.examination.base_scale,
            )
        )


def list_plans() -> list[str]:
    """Names of the plans that come with the package."""
    return PLANS.names()


def read_plan(name_or_path: str | Path) -> Plan:
    """A plan by its name or from a file.

    Raises:
        TrainingError: there is none, or which key of the file is wrong and why.
    """
    path, content = PLANS.read(name_or_path)
    content["stages"] = content.pop("stage", [])
    content["name"] = path.stem
    return parse_plan(content, path.name)


def parse_plan(content: Mapping[str, Any], origin: str) -> Plan:
    """A plan from plain values; `origin` names them in errors."""
    try:
        # Through JSON, whose strict reading knows no tuples and takes lists for them.
        return TypeAdapter(Plan).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise TrainingError("; ".join(_told(origin, e) for e in error.errors())) from error


def _told(origin: str, error: Any) -> str:
    """One complaint of pydantic as file, key and remedy."""
    place = list(error["loc"])
    key = str(place[-1]) if place else ""
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    where = where.replace("stages", "stage")
    if error["type"] == "unexpected_keyword_argument":
        kinds = {"stages": Stage, "material": Source, "examination": Examination}
        known = kinds.get(str(place[0]), Plan) if len(place) > 1 else Plan
        names = ", ".join(one.name for one in fields(known))
        return f"{origin}: there is no key {key!r} at {where}; there are: {names}"
    if error["type"] == "missing":
        return f"{origin}: the key {where} is missing, add it"
    reason = error["msg"].removeprefix("Value error, ")
    return f"{origin}: {where or 'the plan'}: {reason}" + (
        f", not {error['input']!r}; correct it" if place and len(str(error["input"])) < 60 else ""
    )

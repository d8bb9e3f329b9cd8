"""Which people to look at: a TOML file of groups, each of one kind that is hard."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from models.errors import MattingError
from models.named_file import Shelf

LOOKS: Final = Shelf(Path(__file__).parent / "looks", "file of looks")

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Look:
    """One `[[group]]` of the file.

    Raises:
        ValueError: it has no people or one of them twice, or its name is no name of a file.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    """Of its contact sheet, `looks-<name>.jpg`."""
    title: str
    people: tuple[str, ...]
    """Names of cut-outs that were held back, without their endings."""
    rooms: Literal["drawn", "alike"] = "drawn"
    """`alike` puts everybody into the room that is most like the colour of their clothes."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9-]+", self.name):
            raise ValueError(f"{self.name!r} is no name of small letters, digits and -")
        if not self.people or len(set(self.people)) < len(self.people):
            raise ValueError(f"the group {self.name!r} needs people, each of them once")


@dataclass(frozen=True, slots=True)
class Looks:
    """A whole file.

    Raises:
        ValueError: it has no groups, or two of one name.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    group: tuple[Look, ...]

    def __post_init__(self) -> None:
        names = {look.name for look in self.group}
        if not names or len(names) < len(self.group):
            raise ValueError("there must be [[group]]s, each with a name of its own")


def list_looks() -> list[str]:
    """Names of the files that come with the package."""
    return LOOKS.names()


def read_looks(name_or_path: str) -> tuple[Look, ...]:
    """The groups of a file that comes with the package, by its name, or of one's own.

    Raises:
        MattingError: there is none, or which key of the file is wrong and why.
    """
    path, content = LOOKS.read(name_or_path)
    return parse_looks(content, path.name)


def parse_looks(content: Mapping[str, Any], origin: str) -> tuple[Look, ...]:
    """Groups from plain values; `origin` names them in errors."""
    try:
        # Through JSON, whose strict reading knows no tuples and takes lists for them.
        return TypeAdapter(Looks).validate_json(json.dumps(content), strict=True).group
    except (ValidationError, TypeError) as error:
        if isinstance(error, TypeError):  # a date, which TOML has and JSON has not
            raise MattingError(f"{origin}: {error}; looks are texts") from error
        told = "; ".join(_told(problem) for problem in error.errors())
        raise MattingError(f"{origin}: {told}") from error


def _told(problem: Any) -> str:
    """One complaint of pydantic as key and remedy."""
    place = problem["loc"]
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    if problem["type"] == "unexpected_keyword_argument":
        return f"there is no key {where}; a group has name, title, people and rooms"
    if problem["type"] == "missing":
        return f"the key {where} is missing, add it"
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {reason}" if where else reason

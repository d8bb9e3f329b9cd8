"""The card of one set of weights, in TOML."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from models.errors import WeightsError
from models.weights.parts import Part, files_of, part_names

EXAMINED: Final = "people-paper"
"""Table of the scores that cards are compared by: the set `cut-outs=people` by the test recipe of
the paper."""

_TABLES = ("config", "data", "schedule", "scores", "int8")

_OWN_TABLES = ("ranges",)
"""Mappings inside of tables that are too long for one line."""

_BLOCK = 1 << 20
"""Bytes of a file read at a time."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a set of weights is, where it comes from and how good it is."""

    name: str
    """`<architecture>.<tag>`, for example `mobilenetv2.rooms-1`."""
    architecture: str
    sha256: str
    """Of the weights' file, or of its parts one after another, in hexadecimal."""
    size: int
    """Bytes of the weights' file, or of all parts."""
    format: str
    licence: str
    path: Path
    """The weights' file or its first part, beside the card."""
    parts: tuple[Part, ...] = ()
    """In order; empty where the weights are in one file."""
    created: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    config: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `MattingConfig` that differ from its defaults."""
    data: Mapping[str, Any] = field(default_factory=dict)
    schedule: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    int8: Mapping[str, Any] = field(default_factory=dict)
    """Ranges for eight-bit integers: see `models.quantisation.ranges`."""

    @property
    def alpha_mad(self) -> float:
        """Alpha MAD on the scenes that all published weights are examined on; infinite for weights
        that were not, because scores of other scenes say nothing about them."""
        examined = self.scores.get(EXAMINED)
        found = examined.get("alpha_mad") if isinstance(examined, Mapping) else None
        return float(found) if isinstance(found, int | float) else float("inf")

    def check_file(self) -> None:
        """Raises `WeightsError` unless file or parts are exactly those that the card describes."""
        for part in self.parts or (Part(self.path.name, self.size, self.sha256),):
            _check(self.path.parent / part.file, part)
        if self.parts and checksum(self.path) != self.sha256:
            raise WeightsError(
                f"the card of {self.name} contradicts itself, its SHA-256 is not that of its "
                f"{len(self.parts)} parts: install it again"
            )


def read_card(path: Path) -> Card:
    """Read a card; raises `WeightsError` where it lacks a field."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"the card {path.name} cannot be read: {error}") from error
    # Not with_suffix: a tag may contain dots.
    stem = path.name.removesuffix(".toml")
    try:
        parts = _read_parts(content, stem)
        return Card(
            name=str(content["name"]),
            architecture=str(content["architecture"]),
            sha256=str(content["sha256"]),
            size=int(content["size"]),
            format=str(content["format"]),
            licence=str(content["licence"]),
            created=str(content.get("created", "")),
            path=path.parent / (parts[0].file if parts else f"{stem}.safetensors"),
            parts=parts,
            **{table: dict(content.get(table, {})) for table in _TABLES},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"the card {path.name} is malformed: {error!r}") from error


def write_card(card: Card, path: Path) -> None:
    """Write a card as TOML."""
    heads = ("name", "architecture", "sha256", "size", "format", "licence", "created")
    lines = [f"{key} = {_toml(getattr(card, key))}" for key in heads]
    for part in card.parts:
        lines += ["", "[[parts]]", *(f"{key} = {_toml(v)}" for key, v in asdict(part).items())]
    for table in _TABLES:
        values: Mapping[str, Any] = getattr(card, table)
        if values:
            own = {key: values[key] for key in _OWN_TABLES if key in values}
            lines += ["", f"[{table}]", *_lines({k: v for k, v in values.items() if k not in own})]
            for key, value in own.items():
                lines += ["", f"[{table}.{key}]", *_lines(value)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def checksum(path: Path) -> str:
    """SHA-256 in hexadecimal of a file, or of all parts one after another if it is one of them."""
    return _digest(files_of(path))


def describe_part(file: Path) -> Part:
    """A file that was just written, as a card lists it among several."""
    return Part(file.name, file.stat().st_size, _digest([file]))


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as opened:
                while block := opened.read(_BLOCK):
                    digest.update(block)
        except OSError as error:
            raise WeightsError(f"{file.name} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _check(file: Path, expected: Part) -> None:
    if not file.is_file():
        raise WeightsError(
            f"{file.name} is missing beside its card: install it again, or remove the card"
        )
    size = file.stat().st_size
    if size != expected.size:
        raise WeightsError(
            f"{file.name} has {size} bytes instead of {expected.size}: it is incomplete or "
            "another file; install it again"
        )
    if _digest([file]) != expected.sha256:
        raise WeightsError(
            f"{file.name} is damaged, its SHA-256 is not the card's: install it again"
        )


def _read_parts(content: Mapping[str, Any], stem: str) -> tuple[Part, ...]:
    """Raises KeyError, TypeError or ValueError where the list is not that of a card's parts."""
    parts = tuple(
        Part(str(part["file"]), int(part["size"]), str(part["sha256"]))
        for part in content.get("parts", [])
    )
    # Also keeps a card from naming files elsewhere.
    if parts and [part.file for part in parts] != part_names(stem, len(parts)):
        raise ValueError(f"its parts are not {', '.join(part_names(stem, len(parts)))}")
    if parts and sum(part.size for part in parts) != int(content["size"]):
        raise ValueError("its size is not the sum of its parts' sizes")
    return parts


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_toml(value)}" for key, value in values.items()]


def _key(word: str) -> str:
    """As it is where TOML takes it so, in quotes otherwise."""
    return word if re.fullmatch(r"[A-Za-z0-9_-]+", word) else json.dumps(word)


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(v)}" for key, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    # TOML's basic strings, booleans and numbers are JSON's.
    return json.dumps(value if isinstance(value, bool | int | float) else str(value))

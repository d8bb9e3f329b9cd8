"""The card of one set of weights, in TOML."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.errors import WeightsError

_TABLES = ("config", "data", "schedule", "scores")


@dataclass(frozen=True, slots=True)
class Card:
    """What a set of weights is, where it comes from and how good it is."""

    name: str
    """`<architecture>.<tag>`, for example `mobilenetv2.rooms-1`."""
    architecture: str
    sha256: str
    """Of the weights' file, in hexadecimal."""
    size: int
    """Bytes of the weights' file."""
    format: str
    licence: str
    path: Path
    """The weights' file, beside the card."""
    created: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    config: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `MattingConfig` that differ from its defaults."""
    data: Mapping[str, Any] = field(default_factory=dict)
    schedule: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)

    def score(self, name: str) -> float:
        """A score by the end of its name, wherever in the table; infinite if it is not there."""
        for key, value in _leaves(self.scores):
            if key.endswith(name) and isinstance(value, int | float):
                return float(value)
        return float("inf")

    def check_file(self) -> None:
        """Raises `WeightsError` unless the file is exactly the one that the card describes."""
        if not self.path.is_file():
            raise WeightsError(
                f"{self.path.name} is missing beside its card: install it again, or remove the card"
            )
        size = self.path.stat().st_size
        if size != self.size:
            raise WeightsError(
                f"{self.path.name} has {size} bytes instead of {self.size}: it is incomplete or "
                "another file; install it again"
            )
        if checksum(self.path) != self.sha256:
            raise WeightsError(
                f"{self.path.name} is damaged, its SHA-256 is not the card's: install it again"
            )


def read_card(path: Path) -> Card:
    """Read a card; raises `WeightsError` where it lacks a field."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"the card {path.name} cannot be read: {error}") from error
    try:
        return Card(
            name=str(content["name"]),
            architecture=str(content["architecture"]),
            sha256=str(content["sha256"]),
            size=int(content["size"]),
            format=str(content["format"]),
            licence=str(content["licence"]),
            created=str(content.get("created", "")),
            # Not with_suffix: a tag may contain dots.
            path=path.parent / (path.name.removesuffix(".toml") + ".safetensors"),
            **{table: dict(content.get(table, {})) for table in _TABLES},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"the card {path.name} is malformed: {error!r}") from error


def write_card(card: Card, path: Path) -> None:
    """Write a card as TOML."""
    heads = ("name", "architecture", "sha256", "size", "format", "licence", "created")
    lines = [f"{key} = {_toml(getattr(card, key))}" for key in heads]
    for table in _TABLES:
        values: Mapping[str, Any] = getattr(card, table)
        if values:
            lines += ["", f"[{table}]", *(f"{key} = {_toml(v)}" for key, v in values.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: {error.strerror}") from error


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(v)}" for key, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    # TOML's basic strings, booleans and numbers are JSON's.
    return json.dumps(value if isinstance(value, bool | int | float) else str(value))


def _leaves(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += _leaves(value, f"{name}_")
        else:
            found.append((name, value))
    return found

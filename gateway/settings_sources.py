"""Where settings come from: file, environment, command line; and how they are written down.

The later source wins: the default, the TOML file, the environment (`CLEANPLATE_PORT`), the command
line (`--port`). Lists are arrays in TOML and comma-separated elsewhere.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from gateway.settings import PREFIX, Settings, SettingsError
from gateway.settings_table import group_of, shown

CONFIG_VARIABLE: Final = "CLEANPLATE_CONFIG"


def flag_of(name: str) -> str:
    """A setting's name on the command line."""
    return "--" + name.replace("_", "-")


def _is_flag(field: FieldInfo) -> bool:
    return field.annotation is bool


def _metavar(field: FieldInfo) -> str:
    kinds = (field.annotation, *get_args(field.annotation))
    about = field.description or ""
    number = "SECONDS" if about.startswith("Seconds") else "N"
    path = "FOLDER" if about.startswith("Folder") else "FILE"
    for kind, word in ((int, "N"), (float, number), (Path, path), (tuple, "LIST")):
        if kind in kinds or getattr(field.annotation, "__origin__", None) is kind:
            return word
    return "TEXT"


def add_config(parser: argparse.ArgumentParser) -> None:
    """The option that names the file alone."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"TOML file of settings ({CONFIG_VARIABLE})"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One option per setting, grouped; values are checked later, by `load`."""
    add_config(parser)
    groups: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        title = group_of(field)
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        group = groups[title]
        default = shown(field)
        text = (field.description or "").replace("`", "").replace("%", "%%")
        text += f" Default: {default}." if default and not _is_flag(field) else ""
        if _is_flag(field):
            group.add_argument(
                flag_of(name), dest=name, action="store_true", default=None, help=text
            )
        else:
            group.add_argument(flag_of(name), dest=name, metavar=_metavar(field), help=text)


def load(
    *,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    command_line: Mapping[str, Any] | None = None,
) -> Settings:
    """Gather all sources; raises `SettingsError`."""
    environment = environment or {}
    if config is None and environment.get(CONFIG_VARIABLE):
        config = Path(environment[CONFIG_VARIABLE])
    values: dict[str, Any] = {}
    if config is not None:
        values |= _from_file(config)
    names = Settings.model_fields.keys()
    values |= {
        name: environment[variable]
        for name in names
        if (variable := PREFIX + name.upper()) in environment
    }
    values |= {
        name: value
        for name, value in (command_line or {}).items()
        if name in names and value is not None
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("; ".join(_complaints(error))) from error


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not a TOML file: {error}") from error
    # Headings of the table in the README may be used as TOML tables, or left out.
    flat: dict[str, Any] = {}
    groups = {group_of(field) for field in Settings.model_fields.values()}
    for name, value in values.items():
        flat |= value if name in groups and isinstance(value, dict) else {name: value}
    return flat


def _complaints(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "there is no such setting"
        yield f"{name}: {message}" if name else message

"""A TOML file that comes with the package, by its name, or somebody's own, by its path."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import MattingError


@dataclass(frozen=True, slots=True)
class Shelf:
    """Files of one kind that come with the package."""

    folder: Path
    kind: str
    """What one of them is called in errors."""
    error: type[MattingError] = MattingError

    def names(self) -> list[str]:
        """In order."""
        return sorted(path.stem for path in self.folder.glob("*.toml"))

    def read(self, name_or_path: str | Path) -> tuple[Path, dict[str, Any]]:
        """The file's path and its content; raises `error` where there is none or it is no TOML."""
        path = Path(name_or_path)
        if path.suffix != ".toml":
            path = self.folder / f"{name_or_path}.toml"
            if not path.is_file():
                raise self.error(
                    f"there is no {self.kind} {str(name_or_path)!r}; there are: "
                    f"{', '.join(self.names())}. One of your own is given as the path of its .toml "
                    "file"
                )
        try:
            return path, tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise self.error(f"the {self.kind} {path} cannot be read: {error}") from error

"""Photos to be cut out, and the trimaps or masks that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import PictureError
from models.preparation.footage import PICTURES


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and what tells its person from its scene."""

    file: Path
    guide: Path
    """A trimap or a mask, of the same size."""

    @property
    def name(self) -> str:
        """Of the cut-out, without ending."""
        return self.file.stem


def find_photos(inputs: Sequence[Path], guides: Path, what: str) -> list[Photo]:
    """Photos of the given files and folders, each with its guide.

    Args:
        inputs: pictures, or folders of them.
        guides: one picture for one photo, or a folder that holds one of the same name, with any
            ending, for each.
        what: the guides' name in messages, "trimap" or "mask".

    Raises:
        PictureError: something is not there, has no guide, or shares its name with another.
    """
    files: list[Path] = []
    for path in inputs:
        if path.is_dir():
            inside = sorted(f for f in path.iterdir() if f.suffix.lower() in PICTURES)
            if not inside:
                raise PictureError(f"{path} holds no pictures; name the folder that does")
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise PictureError(f"there is no file or folder {path}")
    names: dict[str, Path] = {}
    for file in files:
        if file.stem in names:
            raise PictureError(
                f"{names[file.stem]} and {file} would both become {file.stem}; rename one, or cut "
                "them out into different folders"
            )
        names[file.stem] = file
    if guides.is_dir():
        known = {f.stem: f for f in sorted(guides.iterdir()) if f.suffix.lower() in PICTURES}
    elif not guides.is_file():
        raise PictureError(f"there is no {what} {guides}")
    elif len(files) > 1:
        raise PictureError(
            f"{guides} is one {what} for {len(files)} photos: give a folder with one {what} of the "
            "same name for each"
        )
    else:
        known = {files[0].stem: guides}
    missing = [name for name in names if name not in known]
    if missing:
        raise PictureError(
            f"{len(missing)} photos have no {what} in {guides}, such as {names[missing[0]]}: it "
            f"must be called {missing[0]}.png"
        )
    return [Photo(file, known[name]) for name, file in names.items()]

"""What scenes are made of: people with alpha, and empty places; split by file name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from models.scenes import pairs, pictures
from models.scenes.errors import MaterialMissing, MaterialUnfit
from models.scenes.kept import Kept
from models.scenes.pictures import Picture, Pictures, read_picture
from models.scenes.public_sets import LAYOUTS, PUBLIC_SETS, PublicSet
from models.scenes.splits import Split, person_split, room_split

__all__ = [
    "Material",
    "MaterialMissing",
    "MaterialUnfit",
    "Split",
    "open_backgrounds",
    "open_clips",
    "open_foregrounds",
    "people_files",
    "person_split",
    "read_picture",
    "read_pictures",
    "room_files",
    "room_split",
]


@dataclass(frozen=True, slots=True)
class Material:
    """One set on disk, as a plan names it."""

    set: str
    """Key of `PUBLIC_SETS`."""
    folder: str
    """Relative to the data's folder, such as `VideoMatte240K` or `people`."""


def open_foregrounds(
    material: Material, root: Path, split: Split, *, keep: bool = False
) -> Sequence[Picture]:
    """The people of one split: H x W x 4, RGB with straight alpha, uint8.

    Args:
        material: the set and its folder.
        root: the data's folder.
        split: `train` and `validation` divide the set, or its `train` folder where it has one,
            by name; `test` is its `test` folder, or all of a set that is only for testing.
        keep: decode all now and keep them, about 2 MB each, instead of at every access.

    Raises:
        MaterialMissing: no such folder, or nothing of this split in it.
        MaterialUnfit: the set has no people, may not be used for this split, or its files do not
            fit together.
    """
    described = _described(material)
    if described.layout == "pairs":
        found = pairs.foregrounds_of(_pairs(material, root, split))
    elif described.layout == "cut-outs":
        files = _divided(material, root, split, person_split)
        found = Pictures(len(files), partial(_read, tuple(files), 4))
    else:
        raise MaterialUnfit(f"the set {material.set!r} shows empty places; name one with people")
    return Kept(found, material.folder) if keep else found


def open_backgrounds(
    material: Material, root: Path, split: Split, *, keep: bool = False
) -> Sequence[Picture]:
    """The empty places of one split: H x W x 3, RGB, uint8. See `open_foregrounds`."""
    described = _described(material)
    if described.layout == "rooms":
        files = _divided(material, root, split, room_split)
    elif described.layout == "backgrounds":
        files = _backgrounds(material, root, split)
    else:
        raise MaterialUnfit(f"the set {material.set!r} shows people; name one with empty places")
    found = Pictures(len(files), partial(_read, tuple(files), 3))
    return Kept(found, material.folder) if keep else found


def open_clips(material: Material, root: Path, split: Split) -> Sequence[Sequence[Picture]]:
    """The clips of one split, each a sequence of H x W x 4 frames. See `open_foregrounds`.

    A clip is a pair of videos, or a folder of frames below `fgr` and its equal below `pha`.
    """
    if _described(material).layout != "pairs":
        raise MaterialUnfit(f"the set {material.set!r} has no clips; name one with fgr and pha")
    clips = pairs.clips_of(_pairs(material, root, split))
    if not clips:
        raise _missing(
            material, root / material.folder, split, "it holds single pictures but no clips"
        )
    return clips


def _described(material: Material) -> PublicSet:
    if material.set not in PUBLIC_SETS:
        raise MaterialUnfit(
            f"there is no set {material.set!r}; it must be one of {', '.join(PUBLIC_SETS)}"
        )
    return PUBLIC_SETS[material.set]


def _pairs(material: Material, root: Path, split: Split) -> list[pairs.Pair]:
    folder, divided = _part(material, root, split, pairs.has_pairs)
    found = pairs.pairs_in(folder)
    chosen = (
        pairs.select(found, lambda name: person_split(name) == split) if divided else list(found)
    )
    if not chosen:
        raise _missing(material, folder, split, _none_of(len(found), "pairs", split))
    return chosen


def _backgrounds(material: Material, root: Path, split: Split) -> list[Path]:
    folder, divided = _part(material, root, split, Path.is_dir)
    found = pictures.pictures_in(folder, deep=True)
    chosen = [f for f in found if person_split(f.stem) == split] if divided else found
    if not chosen:
        raise _missing(material, folder, split, _none_of(len(found), "pictures", split))
    return chosen


def _part(
    material: Material, root: Path, split: Split, holds: Callable[[Path], bool]
) -> tuple[Path, bool]:
    """The folder that holds a split, and whether it is divided further by name."""
    described, folder = _described(material), root / material.folder
    if described.test_only:
        if split != "test":
            raise MaterialUnfit(
                f"{described.title} is for testing only (see {described.described}); "
                f"do not name {material.set!r} for {split}"
            )
        part = folder / "test" if holds(folder / "test") else folder
    elif split == "test":
        part = folder / "test"
    else:
        # Where only a test folder is, the train folder is missing: what lies in test may not train.
        by_folders = holds(folder / "train") or (holds(folder / "test") and not _flat(folder))
        part = folder / "train" if by_folders else folder
    if not holds(part):
        raise _missing(material, part, split, "it lacks fgr or pha" if part.is_dir() else None)
    return part, split != "test"


def _flat(folder: Path) -> bool:
    return (folder / "fgr").is_dir()


def _divided(
    material: Material, root: Path, split: Split, rule: Callable[[str], Split]
) -> list[Path]:
    folder = root / material.folder
    if not folder.is_dir():
        raise _missing(material, folder, split, None)
    if split == "test":
        keeps = "this set keeps no test split; those that it holds back are for validation"
        raise _missing(material, folder, split, keeps)
    found = pictures.pictures_in(folder, deep=False)
    try:
        chosen = [file for file in found if rule(file.stem) == split]
    except ValueError as error:
        raise MaterialUnfit(
            f"{folder} holds pictures that are not named NNN-kind (NNN is the house, which may "
            f"not be in two splits): {error}; name them so, or name the set 'backgrounds'"
        ) from error
    if not chosen:
        raise _missing(material, folder, split, _none_of(len(found), "pictures", split))
    return chosen


def _missing(material: Material, folder: Path, split: Split, there: str | None) -> MaterialMissing:
    described = _described(material)
    return MaterialMissing(
        f"no material for {split} in {folder}: {there or 'there is no such folder'}. It should "
        f"hold {LAYOUTS[described.layout]}. The set {material.set}, {described.title}, is "
        f"described in {described.described}."
    )


def _none_of(count: int, what: str, split: Split) -> str:
    if not count:
        return f"it holds no {what}"
    return f"of its {what} ({count}) none is for {split}, which their names decide"


def _read(files: Sequence[Path], channels: Literal[3, 4], index: int) -> Picture:
    return read_picture(files[index], channels)


def people_files(folder: Path, split: Split) -> list[Path]:
    """RGBA cut-outs of one split, sorted by name.

    Raises:
        MaterialMissing: there are none.
    """
    return _divided(Material("cut-outs", folder.name), folder.parent, split, person_split)


def room_files(folder: Path, split: Split) -> list[Path]:
    """Empty rooms of one split, sorted by name.

    Raises:
        MaterialMissing: there are none.
    """
    return _divided(Material("rooms", folder.name), folder.parent, split, room_split)


def read_pictures(files: Sequence[Path], channels: Literal[3, 4]) -> list[Picture]:
    """Decode all of them to keep, which costs about 2 MB each and saves the decoder's time."""
    return [read_picture(file, channels) for file in files]

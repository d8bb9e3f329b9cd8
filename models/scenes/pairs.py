"""`fgr` and `pha`: two trees of equal structure, as the public sets are handed out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path, PurePath

from models.scenes import pictures, videos
from models.scenes.errors import MaterialUnfit
from models.scenes.pictures import Picture, Pictures


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files that belong together."""

    name: str
    """Path below `fgr`, without ending, such as `0003/00017`."""
    foreground: Path
    alpha: Path

    @property
    def is_video(self) -> bool:
        """A clip by itself, not one picture."""
        return self.foreground.suffix.lower() in videos.ENDINGS

    @property
    def unit(self) -> str:
        """What may not be divided between splits: the clip, or the picture that is in none.

        A folder of pictures below `fgr` is a clip.
        """
        folder = PurePath(self.name).parent
        return self.name if self.is_video or folder == PurePath() else folder.as_posix()


def has_pairs(folder: Path) -> bool:
    """Whether `folder` holds the two trees."""
    return (folder / "fgr").is_dir() and (folder / "pha").is_dir()


def pairs_in(folder: Path) -> list[Pair]:
    """All pairs of a folder that has `fgr` and `pha`, sorted by name.

    Raises:
        MaterialUnfit: the trees differ; names up to three files without their other half.
    """
    colours, alphas = _tree(folder / "fgr"), _tree(folder / "pha")
    lonely = sorted(colours.keys() ^ alphas.keys())
    if lonely:
        shown = ", ".join(
            str(colours[name] if name in colours else alphas[name]) for name in lonely[:3]
        )
        raise MaterialUnfit(
            f"fgr and pha in {folder} must hold the same files, but {len(lonely)} have no other "
            f"half: {shown}{', ...' if len(lonely) > 3 else ''}; add the missing halves or remove "
            "these"
        )
    return [Pair(name, colours[name], alphas[name]) for name in sorted(colours)]


def foregrounds_of(pairs: Sequence[Pair]) -> Sequence[Picture]:
    """Every picture, and every frame of every video, as H x W x 4."""
    if not any(pair.is_video for pair in pairs):
        return _pictures_of(pairs)
    return videos.AllFrames([clip for _, clip in _clips(pairs)])


def clips_of(pairs: Sequence[Pair]) -> list[Sequence[Picture]]:
    """The clips among them: each video, and each folder of pictures; single pictures are none."""
    return [clip for unit, clip in _clips(pairs) if unit]


def select(pairs: Sequence[Pair], wanted: Callable[[str], bool]) -> list[Pair]:
    """Those whose unit's own name, without folders, is wanted."""
    return [pair for pair in pairs if wanted(PurePath(pair.unit).name)]


def _clips(pairs: Sequence[Pair]) -> list[tuple[str, Sequence[Picture]]]:
    # The empty name marks single pictures, which sort between folders: by unit first.
    def unit(pair: Pair) -> str:
        return "" if pair.unit == pair.name and not pair.is_video else pair.unit

    found: list[tuple[str, Sequence[Picture]]] = []
    for name, group in groupby(sorted(pairs, key=lambda p: (unit(p), p.name)), unit):
        members = list(group)
        if members[0].is_video:
            found += [(name, videos.VideoClip(p.foreground, p.alpha)) for p in members]
        else:
            found.append((name, _pictures_of(members)))
    return found


def _pictures_of(pairs: Sequence[Pair]) -> Pictures:
    return Pictures(len(pairs), partial(_read, tuple(pairs)))


def _read(pairs: Sequence[Pair], index: int) -> Picture:
    return pictures.read_pair(pairs[index].foreground, pairs[index].alpha)


def _tree(folder: Path) -> dict[str, Path]:
    readable = pictures.ENDINGS | videos.ENDINGS
    found: dict[str, Path] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in readable:
            name = file.relative_to(folder).with_suffix("").as_posix()
            if name in found:
                raise MaterialUnfit(
                    f"{found[name]} and {file} have one name; keep the one that is meant"
                )
            found[name] = file
    return found

"""`cleanplate chroma-key`: training pairs from footage shot before a green or blue screen."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Never

import cv2
import numpy as np
from tqdm import tqdm

from models.errors import MattingError, PictureError
from models.preparation import footage, sheet
from models.preparation.footage import Footage, Pixels
from models.preparation.keying import Floats, Keyed, KeySettings, key
from models.preparation.screen import Screen, ScreenMissing, find_screen, given_screen
from models.preparation.tree import Tree
from models.scenes import pictures

OPERATOR_ERROR = 2
SHEET_ROWS = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is keyed, how, and where the pairs go."""
    parser.add_argument(
        "inputs", type=Path, nargs="+", metavar="INPUT", help="pictures, videos, or folders of them"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="gets fgr/ and pha/"
    )
    parser.add_argument(
        "--screen", default="auto", metavar="COLOUR", help="auto (default), green, blue or #rrggbb"
    )
    parser.add_argument(
        "--clips", choices=("video", "frames"), default="video",
        help="videos become two MP4 files (default) or two folders of pictures",
    )  # fmt: skip
    parser.add_argument(
        "--pictures", choices=("png", "jpg"), default="png",
        help="format of foregrounds (default png); alpha is png in any case",
    )  # fmt: skip
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="keep only each N-th frame of videos"
    )
    usual = KeySettings()
    parser.add_argument(
        "--black", type=float, default=usual.black, metavar="ALPHA",
        help="what is less opaque is all screen (default %(default)s): raise it for folds and "
        "noise, lower it for fine hair",
    )  # fmt: skip
    parser.add_argument(
        "--white", type=float, default=usual.white, metavar="ALPHA",
        help="what is more opaque is all person (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--despill", type=float, default=usual.despill, metavar="SHARE",
        help="0 keeps the screen's light on the person, 1 (default) takes it off",
    )  # fmt: skip
    parser.add_argument(
        "--radius", type=int, metavar="PX",
        help="of the edge-aware clean-up; by the picture's size if not given, 0 for none",
    )  # fmt: skip
    parser.add_argument(
        "--speck", type=int, metavar="PX",
        help="islands and holes of fewer pixels go; by the picture's size if not given",
    )  # fmt: skip
    parser.add_argument(
        "--sheer", action="store_true", help="keep veils and glasses half transparent inside"
    )
    parser.add_argument(
        "--garbage", type=Path, metavar="FILE",
        help="picture, white where nothing may be kept: stands, lamps, marks on the screen",
    )  # fmt: skip
    parser.add_argument(
        "--no-garbage-matte", action="store_true",
        help="keep what reaches beyond the screen's edges",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="make what is there already anew")
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE.png",
        help="one row for each of the first files, to look at",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Key everything; returns the exit status, 2 if a file could not be keyed."""
    try:
        return _Run(args).all()
    except MattingError as error:
        _say(str(error))
        return OPERATOR_ERROR


class _Run:
    """One call of the command."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.settings = _settings(args)
        self.wanted: str = args.screen
        self.given = given_screen(args.screen) if args.screen.startswith("#") else None
        if self.given is None and args.screen not in {"auto", "green", "blue"}:
            given_screen(args.screen)
        self.garbage = None if args.garbage is None else pictures.read_grey(args.garbage)
        self.tree = Tree(args.out, args.clips, args.pictures)
        self.found = footage.find_footage(args.inputs)
        self.force: bool = args.force
        self.every: int = args.every
        self.sheet: Path | None = args.sheet
        self.rows: list[Pixels] = []

    def all(self) -> int:
        """Every file by itself: one that cannot be keyed does not stop the others."""
        todo = [f for f in self.found if self.force or not self.tree.has(f.name, clip=f.is_video)]
        lengths = {f: self._length(f) for f in todo}
        failed = 0
        with tqdm(total=sum(lengths.values()), unit="frame", file=sys.stderr, disable=None) as bar:
            for item in todo:
                bar.set_postfix_str(item.name)
                try:
                    (self._key_clip if item.is_video else self._key_picture)(item, bar)
                except MattingError as error:
                    failed += 1
                    with tqdm.external_write_mode(sys.stderr):
                        _say(f"{item.file}: {error}")
        if self.sheet is not None and self.rows:
            picture = cv2.cvtColor(sheet.stack(self.rows), cv2.COLOR_RGB2BGR)
            self.sheet.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
        there = len(self.found) - len(todo)
        sys.stdout.write(
            f"{len(todo) - failed} keyed into {self.tree.root}"
            + (f", {there} were there already" if there else "")
            + (f", {failed} could not be keyed" if failed else "")
            + "\n"
        )
        return OPERATOR_ERROR if failed else 0

    def _length(self, item: Footage) -> int:
        if not item.is_video:
            return 1
        try:
            return -(-footage.describe(item).frames // self.every)
        except MattingError:
            # Said with its name when its turn comes.
            return 0

    def _key_picture(self, item: Footage, bar: tqdm[Never]) -> None:
        picture = pictures.read_rgb(item.file)
        keyed = self._key(picture, self._screen(item, [picture]))
        self.tree.write_picture(item.name, *keyed)
        self._show(picture, keyed)
        bar.update()

    def _key_clip(self, item: Footage, bar: tqdm[Never]) -> None:
        screen = self._screen(item, footage.samples(item))
        clip = footage.describe(item)
        rate = clip.rate / self.every
        middle = clip.frames // self.every // 2
        with self.tree.write_clip(item.name, rate) as writer:
            for index, picture in enumerate(footage.frames(item, self.every)):
                try:
                    keyed = self._key(picture, screen)
                except ScreenMissing as error:
                    raise ScreenMissing(f"frame {index * self.every}: {error}") from error
                writer.write(*keyed)
                if index == middle:
                    self._show(picture, keyed)
                bar.update()

    def _screen(self, item: Footage, seen: list[Pixels]) -> Screen:
        if self.given is not None:
            return self.given
        floats = [_floats(picture) for picture in seen]
        if self.wanted == "green":
            return find_screen(floats, "green")
        return find_screen(floats, "blue" if self.wanted == "blue" else None)

    def _key(self, picture: Pixels, screen: Screen) -> tuple[Pixels, Pixels]:
        """Foreground H x W x 3 and alpha H x W."""
        garbage = None
        if self.garbage is not None:
            size = (picture.shape[1], picture.shape[0])
            garbage = _floats(np.asarray(cv2.resize(self.garbage, size), np.uint8))
        keyed: Keyed = key(_floats(picture), screen, self.settings, garbage)
        return _bytes(keyed.foreground), _bytes(keyed.alpha)

    def _show(self, picture: Pixels, keyed: tuple[Pixels, Pixels]) -> None:
        if self.sheet is not None and len(self.rows) < SHEET_ROWS:
            self.rows.append(sheet.row(picture, *keyed))


def _settings(args: argparse.Namespace) -> KeySettings:
    if not 0 <= args.black < args.white <= 1:
        raise PictureError(
            f"--black {args.black} and --white {args.white}: both lie between 0 and 1, black below"
        )
    if not 0 <= args.despill <= 1:
        raise PictureError(f"--despill {args.despill}: give a share between 0 and 1")
    if args.every < 1:
        raise PictureError(f"--every {args.every}: give 1 for all frames, or more")
    return KeySettings(
        args.black, args.white, args.despill, args.radius, args.speck,
        not args.no_garbage_matte, args.sheer,
    )  # fmt: skip


def _floats(picture: Pixels) -> Floats:
    return picture.astype(np.float32) / np.float32(255)


def _bytes(picture: Floats) -> Pixels:
    return np.rint(picture * 255).astype(np.uint8)


def _say(text: str) -> None:
    sys.stderr.write(f"cleanplate chroma-key: {text}\n")

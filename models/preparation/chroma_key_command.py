"""`cleanplate chroma-key`: training pairs from footage shot before a green or blue screen."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Never, TypeAlias

import cv2
from tqdm import tqdm

from models.errors import MattingError, PictureError
from models.preparation import sheet
from models.preparation.footage import Footage, Pixels, describe, find_footage
from models.preparation.key_job import KeyJob
from models.preparation.keying import KeySettings
from models.preparation.screen import Kind, Screen, given_screen
from models.preparation.tree import Tree
from models.scenes.pictures import read_grey

Bar: TypeAlias = "tqdm[Never]"

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
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N",
        help="files keyed at once, each by a process of its own (default 1)",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="make what is there already anew")
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE.png",
        help="one row for each of the first files, to look at",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Key everything; returns the exit status, 2 if a file could not be keyed."""
    try:
        return _key_all(args)
    except MattingError as error:
        _say(str(error))
        return OPERATOR_ERROR


def _key_all(args: argparse.Namespace) -> int:
    """Every file by itself: one that cannot be keyed does not stop the others."""
    job = _job(args)
    found = find_footage(args.inputs)
    todo = [f for f in found if args.force or not job.tree.has(f.name, clip=f.is_video)]
    lengths = {item: _length(item, args.every) for item in todo}
    rows: dict[Footage, Pixels] = {}
    failed = 0
    bar: tqdm[Never]
    with tqdm(total=sum(lengths.values()), unit="frame", file=sys.stderr, disable=None) as bar:
        for item, outcome in _outcomes(job, todo, lengths, args.workers, bar):
            if isinstance(outcome, MattingError):
                failed += 1
                with tqdm.external_write_mode(sys.stderr):
                    _say(f"{item.file}: {outcome}")
            elif args.sheet is not None and len(rows) < SHEET_ROWS:
                rows[item] = outcome
    if rows:
        in_order = sheet.stack([rows[item] for item in todo if item in rows])
        encoded = cv2.imencode(".png", cv2.cvtColor(in_order, cv2.COLOR_RGB2BGR))[1]
        args.sheet.write_bytes(encoded.tobytes())
    there = len(found) - len(todo)
    sys.stdout.write(
        f"{len(todo) - failed} keyed into {args.out}"
        + (f", {there} were there already" if there else "")
        + (f", {failed} could not be keyed" if failed else "")
        + "\n"
    )
    return OPERATOR_ERROR if failed else 0


def _outcomes(
    job: KeyJob, todo: Sequence[Footage], lengths: Mapping[Footage, int], workers: int, bar: Bar
) -> Iterator[tuple[Footage, Pixels | MattingError]]:
    """A row for the sheet, or the error, of every file as it is done."""
    if workers == 1:
        for item in todo:
            bar.set_postfix_str(item.name)
            yield item, _outcome(partial(job.run, item, bar.update))
        return
    # Not forked: OpenCV's and the codecs' threads do not survive that.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        waiting = {pool.submit(job.run, item): item for item in todo}
        for future in as_completed(waiting):
            item = waiting[future]
            yield item, _outcome(future.result)
            bar.update(lengths[item])


def _outcome(work: Callable[[], Pixels]) -> Pixels | MattingError:
    try:
        return work()
    except MattingError as error:
        return error


def _length(item: Footage, every: int) -> int:
    """Frames to be keyed."""
    if not item.is_video:
        return 1
    try:
        return -(-describe(item).frames // every)
    except MattingError:
        # Said with its name when its turn comes.
        return 0


def _job(args: argparse.Namespace) -> KeyJob:
    screen: Screen | Kind | None
    if args.screen == "green" or args.screen == "blue":
        screen = args.screen
    else:
        screen = None if args.screen == "auto" else given_screen(args.screen)
    if args.every < 1:
        raise PictureError(f"--every {args.every}: give 1 for all frames, or more")
    if args.garbage is not None and not args.garbage.is_file():
        raise PictureError(f"there is no garbage matte {args.garbage}")
    if args.sheet is not None and not args.sheet.parent.is_dir():
        raise PictureError(f"there is no folder {args.sheet.parent} for the sheet")
    if args.workers < 1:
        raise PictureError(f"--workers {args.workers}: give 1 or more")
    return KeyJob(
        Tree(args.out, args.clips, args.pictures),
        _settings(args),
        screen,
        None if args.garbage is None else read_grey(args.garbage),
        args.every,
    )


def _settings(args: argparse.Namespace) -> KeySettings:
    if not 0 <= args.black < args.white <= 1:
        raise PictureError(
            f"--black {args.black} and --white {args.white}: both lie between 0 and 1, black below"
        )
    if not 0 <= args.despill <= 1:
        raise PictureError(f"--despill {args.despill}: give a share between 0 and 1")
    for name, pixels in (("--radius", args.radius), ("--speck", args.speck)):
        if pixels is not None and pixels < 0:
            raise PictureError(f"{name} {pixels}: give a number of pixels, 0 for none")
    return KeySettings(
        args.black, args.white, args.despill, args.radius, args.speck,
        not args.no_garbage_matte, args.sheer,
    )  # fmt: skip


def _say(text: str) -> None:
    sys.stderr.write(f"cleanplate chroma-key: {text}\n")

"""`cleanplate evaluate`: score weights, side by side, and write a report that opens by itself."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from models.errors import MattingError, PictureError

if TYPE_CHECKING:
    from models.evaluation.results import Results
    from models.evaluation.sets import StillSet
    from models.scenes.material import Material

OPERATOR_ERROR = 2

DEFAULT_SETS: Final = (
    "cut-outs=people",
    "videomatte240k=VideoMatte240K",
    "photomatte85=PhotoMatte85",
    "distinctions646=Distinctions646",
    "aim=AIM",
)
"""Those of them that are there."""

BACKENDS: Final = ("torch", "fp32", "bf16", "int8")

RECIPE_NAMES: Final = ("paper", "webrtc", "drifted")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is compared, on what, and where the report goes."""
    parser.add_argument(
        "--weights",
        action="append",
        default=[],
        metavar="NAME",
        help="a card, a file of weights, a checkpoint or a stage's folder of a run; may be "
        "repeated (default: the best card)",
    )
    parser.add_argument(
        "--comparator",
        action="append",
        default=[],
        metavar="NAME",
        help="something else to stand beside them, such as mediapipe; may be repeated",
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds all sets")
    parser.add_argument(
        "--set",
        action="append",
        dest="sets",
        metavar="SET=FOLDER",
        help=f"people to examine with; may be repeated (default: those of {', '.join(DEFAULT_SETS)}"
        " that are there)",
    )
    parser.add_argument(
        "--rooms",
        default="rooms=rooms",
        metavar="SET=FOLDER",
        help="what they are put over, such as backgrounds=Backgrounds (default: %(default)s)",
    )
    parser.add_argument(
        "--split", choices=["validation", "test"], default="validation", help="%(default)s"
    )
    parser.add_argument(
        "--recipe",
        action="append",
        choices=RECIPE_NAMES,
        help="what lies between plate and source; may be repeated (default: all)",
    )
    parser.add_argument("--size", default="1280x720", help="of the frames (default: %(default)s)")
    parser.add_argument("--scenes", type=_count, default=100, help="per set (default: %(default)s)")
    parser.add_argument(
        "--clips", type=_count, default=5, help="per set, for dtSSD (default: %(default)s)"
    )
    parser.add_argument(
        "--curve-scenes",
        type=_count,
        default=10,
        help="of the first set, for the curves over drifts; 0 draws none (default: %(default)s)",
    )
    parser.add_argument(
        "--worst", type=_count, default=3, help="cases to show per set (default: %(default)s)"
    )
    parser.add_argument(
        "--looks",
        metavar="NAME",
        help="groups of people to show in the report whatever their scores, such as cut-outs, or "
        "a .toml file of your own; under the first recipe",
    )
    parser.add_argument("--base-scale", type=float, help="of all weights (default: a processor's)")
    parser.add_argument("--refine-pixels", type=_count, help="of all weights (default: as above)")
    parser.add_argument(
        "--backend",
        action="append",
        choices=BACKENDS,
        help="what runs all weights: torch, or OpenVINO in a precision, as a live stream on a "
        "processor; may be repeated, which puts them side by side (default: torch)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=_count, help="of the processor (default: all)")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="for index.html, report.json")
    parser.add_argument("--json", action="store_true", help="print report.json, not the table")


def run(args: argparse.Namespace) -> int:
    """Examine and report; returns the exit status."""
    try:
        results = examine(args)
    except MattingError as error:
        sys.stderr.write(f"cleanplate evaluate: {error}\n")
        return OPERATOR_ERROR
    # Imported late: it takes seconds, which `--help` must not wait for.
    from models.evaluation.results import table

    if args.json:
        sys.stdout.write(json.dumps(results.as_json(), indent=1) + "\n")
    else:
        sys.stdout.write(table(results) + "\n")
        if args.report:
            sys.stdout.write(f"\nreport: {args.report / 'index.html'}\n")
    return 0


def examine(args: argparse.Namespace) -> Results:
    """Do what the arguments of `cleanplate evaluate` say, and write the report if one is wanted.

    Raises:
        MattingError: weights, comparators or material are missing or unfit, or an argument is.
    """
    import cv2
    import torch
    from tqdm import tqdm

    from models.device import choose_device
    from models.evaluation.comparators import open_comparator
    from models.evaluation.drifts import DRIFTS
    from models.evaluation.entries import check_names, open_weights
    from models.evaluation.examination import amount, examine_curve, examine_set
    from models.evaluation.gallery import Gallery
    from models.evaluation.look import read_looks
    from models.evaluation.page import write_page
    from models.evaluation.recipes import RECIPES
    from models.evaluation.results import Results
    from models.machine import machine_name, now, versions
    from models.weights import default_weights

    size = as_size(args.size)
    args.sets = args.sets or _present(args.data)
    if not args.scenes:
        raise MattingError("--scenes must be at least 1")
    looks = read_looks(args.looks) if args.looks else ()
    if args.report:
        _make_folder(args.report)
    elif looks:
        raise MattingError("--looks shows pictures in a report: give --report FOLDER")
    if args.threads:
        torch.set_num_threads(args.threads)
        cv2.setNumThreads(args.threads)
    device = choose_device(args.device)
    contenders = open_weights(
        args.weights or [default_weights()],
        device,
        size,
        base_scale=args.base_scale,
        refine_pixels=args.refine_pixels,
        backends=tuple(dict.fromkeys(args.backend or BACKENDS[:1])),
    )
    contenders += [open_comparator(name) for name in args.comparator]
    check_names(contenders)
    sets = _sets(args, size)
    recipes = [RECIPES[name] for name in dict.fromkeys(args.recipe or RECIPE_NAMES)]
    gallery = Gallery(next((s for s in sets if s.people.set == "cut-outs"), sets[0]))
    if looks:
        gallery.require(looks)
    total = amount(
        len(contenders), len(sets), len(recipes), args.scenes, args.clips, args.curve_scenes
    )
    total += len(contenders) * sum(len(look.people) for look in looks)
    with tqdm(total=total, desc="evaluate", unit="frame", smoothing=0.05) as bar:
        examined = [
            result
            for stills in sets
            for result in examine_set(contenders, stills, recipes, args.scenes, args.clips, bar)
        ]
        curves = [
            examine_curve(contenders, sets[0], drift, args.curve_scenes, bar)
            for drift in DRIFTS.values()
            if args.curve_scenes
        ]
        looked = [gallery.look_at(look, contenders, recipes[0], bar) for look in looks]
    results = Results(
        _command(args), machine_name(device), now(), versions(), contenders, examined, curves,
        looked,
    )  # fmt: skip
    if args.report:
        write_page(results, args.report, args.worst)
    return results


def _sets(args: argparse.Namespace, size: tuple[int, int]) -> list[StillSet]:
    from models.evaluation.sets import StillSet

    rooms = as_material(args.rooms, "--rooms")
    words = dict.fromkeys(args.sets)
    sets = [
        StillSet(as_material(word, "--set"), rooms, args.data, size, args.split) for word in words
    ]
    for stills in sets:  # before anything is computed
        stills.require()
    return sets


def _present(data: Path) -> list[str]:
    """The default sets whose folders are there; the first one, to complain of, if none is."""
    there = [word for word in DEFAULT_SETS if (data / word.partition("=")[2]).is_dir()]
    return there or [DEFAULT_SETS[0]]


def as_material(word: str, option: str) -> Material:
    """The set that `SET=FOLDER` names; raises `MattingError` that names `option`."""
    from models.scenes.material import Material
    from models.scenes.public_sets import PUBLIC_SETS

    name, equals, folder = word.partition("=")
    if not equals or not folder or name not in PUBLIC_SETS:
        raise MattingError(
            f"{option} takes SET=FOLDER, with SET one of {', '.join(PUBLIC_SETS)}, not {word!r}"
        )
    return Material(name, folder)


def as_size(word: str) -> tuple[int, int]:
    """Rows and columns of `WIDTHxHEIGHT`; raises `PictureError`."""
    width, _, height = word.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise PictureError(f"--size takes WIDTHxHEIGHT such as 1280x720, not {word!r}")
    sides = int(height), int(width)
    if min(sides) < 64 or any(side % 4 for side in sides):
        raise PictureError(
            f"--size {word}: sides must be multiples of 4, as in the official scripts, and at "
            "least 64"
        )
    return sides


def _count(word: str) -> int:
    if not word.isdigit():
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of 0 or more")
    return int(word)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MattingError(
            f"the report cannot go to {folder} ({error.strerror}): name another folder"
        ) from error


def _command(args: argparse.Namespace) -> str:
    """The command without this machine's paths: it is published with the scores."""
    words = ["cleanplate", "evaluate"]
    for option, values in (("--weights", args.weights), ("--comparator", args.comparator)):
        for value in values:
            words += [option, Path(value).name if os.sep in value else value]
    words += ["--data", "DATA"]
    for option, values in (
        ("--set", args.sets),
        ("--recipe", args.recipe),
        ("--backend", args.backend),
    ):
        for value in values or ():
            words += [option, value]
    if args.looks:
        words += ["--looks", Path(args.looks).name]
    plain = ("rooms", "split", "size", "scenes", "clips", "curve_scenes")
    for name in plain:
        words += [f"--{name.replace('_', '-')}", str(getattr(args, name))]
    for name in ("base_scale", "refine_pixels"):
        if getattr(args, name) is not None:
            words += [f"--{name.replace('_', '-')}", str(getattr(args, name))]
    return shlex.join(words)

"""`cleanplate ablate`: what refined pixels, the kernel, the backbone or a set of data is worth."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from models.errors import MattingError

if TYPE_CHECKING:
    from models.ablation.measuring import Ruler
    from models.ablation.table import Row, Table
    from models.ablation.variants import Variant

OPERATOR_ERROR = 2

ABLATIONS: Final = {
    "pixels": "given weights with more and fewer refined patches",
    "kernel": "train the refiner with convolutions of 1x1 and of 3x3",
    "backbone": "train other backbones by the same plan",
    "data": "train without each set of a plan in turn",
}

PATCHES: Final = "0,1250,2500,5000,7500,20000"
"""The paper's table 7 has 2,500, 5,000, 7,500 and all; 20,000 is what it uses for 4K."""

BACKBONE_NAMES: Final = ("mobilenetv2", "resnet50", "resnet101")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One action for each ablation."""
    actions = parser.add_subparsers(dest="ablation", required=True, metavar="ABLATION")
    for name, summary in ABLATIONS.items():
        action = actions.add_parser(name, help=summary, description=summary)
        if name == "pixels":
            action.add_argument(
                "--weights",
                action="append",
                required=True,
                metavar="NAME",
                help="a card, a file of weights, a checkpoint or a stage's folder; may be repeated",
            )
            action.add_argument(
                "--patches",
                type=_counts,
                default=PATCHES,
                metavar="K,K,...",
                help="numbers of refined 4x4 patches; all of them are always added (default: "
                "%(default)s)",
            )
            action.add_argument("--base-scale", type=float, help="default: a processor's")
        else:
            _add_training(action, name)
        _add_examination(action)


def _add_training(action: argparse.ArgumentParser, name: str) -> None:
    action.add_argument(
        "--plan",
        default="small-machine",
        help="a plan's name or its .toml file (default: %(default)s)",
    )
    action.add_argument("--steps", type=_count, help="end every stage after so many at most")
    action.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="for the runs; what is trained there already is not trained again",
    )
    action.add_argument(
        "--encoder",
        action="append",
        default=[],
        type=_pair,
        metavar="BACKBONE=FILE",
        help="what a backbone starts from, or BACKBONE=random (default: the plan's for its own, "
        "random for others); may be repeated",
    )
    if name == "backbone":
        action.add_argument(
            "--backbone",
            action="append",
            choices=BACKBONE_NAMES,
            help="may be repeated (default: all)",
        )
    action.add_argument("--seed", type=_count, default=0, help="default: %(default)s")
    action.add_argument(
        "--limit-minutes",
        type=float,
        metavar="M",
        help="stop with a checkpoint after so long; the same command goes on",
    )
    action.add_argument(
        "--workers", type=_count, default=1, help="processes that make samples (default: 1)"
    )


def _add_examination(action: argparse.ArgumentParser) -> None:
    action.add_argument("--data", type=Path, required=True, help="the folder that holds all sets")
    action.add_argument(
        "--set",
        default="cut-outs=people",
        metavar="SET=FOLDER",
        help="people to examine with (default: %(default)s)",
    )
    action.add_argument(
        "--rooms",
        default="rooms=rooms",
        metavar="SET=FOLDER",
        help="what they are put over (default: %(default)s)",
    )
    action.add_argument(
        "--recipe", default="paper", help="paper, webrtc or drifted (default: %(default)s)"
    )
    action.add_argument("--size", default="1280x720", help="of the frames (default: %(default)s)")
    action.add_argument("--scenes", type=_count, default=50, help="default: %(default)s")
    action.add_argument("--clips", type=_count, default=0, help="for dtSSD (default: %(default)s)")
    action.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    action.add_argument("--threads", type=_count, help="processor cores (default: all)")
    action.add_argument("--csv", type=Path, metavar="FILE", help="write the table there as well")
    action.add_argument("--json", action="store_true", help="print JSON, not the table")


def run(args: argparse.Namespace) -> int:
    """Do one ablation; returns the exit status."""
    try:
        table = ablate(args)
        if args.csv:
            table.write_csv(args.csv)
    except MattingError as error:
        sys.stderr.write(f"cleanplate ablate: {error}\n")
        return OPERATOR_ERROR
    text = json.dumps(table.as_json(), indent=1) + "\n" if args.json else table.as_text()
    sys.stdout.write(text)
    return 0


def ablate(args: argparse.Namespace) -> Table:
    """The table that the arguments of `cleanplate ablate` ask for.

    Raises:
        MattingError: weights, a plan or material are missing or unfit, or an argument is.
    """
    # Imported late: `--help` must not wait for it.
    import cv2
    import torch

    from models.ablation.table import Table
    from models.machine import machine_name, now, versions
    from models.processor import processors

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise MattingError("an ablation is one process: start it without torchrun")
    # As in `cleanplate train`: OpenCV's own threads would fight with processes that load samples.
    cv2.setNumThreads(1)
    torch.set_num_threads(args.threads or processors())
    ruler = _ruler(args)
    rows = _pixels(args, ruler) if args.ablation == "pixels" else _variants(args, ruler)
    stills = ruler.stills
    height, width = stills.size
    about = (
        f"{args.scenes} scenes of {stills.name} ({stills.people_split} split) at {width}x{height}, "
        f"{ruler.recipe.title}"
    )
    if args.ablation != "pixels":
        about += f"; plan {Path(args.plan).stem}"
    return Table(
        args.ablation, about, _command(args), machine_name(ruler.device), now(), versions(), rows
    )


def _pixels(args: argparse.Namespace, ruler: Ruler) -> list[Row]:
    from models.ablation.measuring import measure_pixels

    return measure_pixels(ruler, args.weights, args.patches, args.base_scale)


def _variants(args: argparse.Namespace, ruler: Ruler) -> list[Row]:
    from models.ablation.measuring import measure_variants
    from models.training.command import interruption

    variants = _chosen(args)
    with interruption() as wish:
        return measure_variants(
            ruler,
            variants,
            args.data,
            args.out,
            seed=args.seed,
            workers=args.workers,
            limit_minutes=args.limit_minutes,
            stop=lambda: bool(wish),
        )


def _chosen(args: argparse.Namespace) -> list[Variant]:
    from models.ablation.variants import (
        BACKBONES,
        backbone_variants,
        data_variants,
        kernel_variants,
        with_encoders,
    )
    from models.training.plan import read_plan

    plan = read_plan(args.plan)
    if args.steps is not None:
        if args.steps < 1:
            raise MattingError("--steps must be at least 1")
        plan = plan.shortened(args.steps)
    if args.ablation == "kernel":
        variants = kernel_variants(plan)
    elif args.ablation == "backbone":
        variants = backbone_variants(plan, args.backbone or BACKBONES)
    else:
        variants = data_variants(plan)
    return with_encoders(variants, dict(args.encoder))


def _ruler(args: argparse.Namespace) -> Ruler:
    from models.ablation.measuring import Ruler
    from models.device import choose_device
    from models.evaluation.command import as_material, as_size
    from models.evaluation.recipes import RECIPES
    from models.evaluation.sets import StillSet

    if args.recipe not in RECIPES:
        raise MattingError(f"--recipe takes {', '.join(RECIPES)}, not {args.recipe!r}")
    if not args.scenes:
        raise MattingError("--scenes must be at least 1")
    stills = StillSet(
        as_material(args.set, "--set"),
        as_material(args.rooms, "--rooms"),
        args.data,
        as_size(args.size),
    )
    stills.require()  # before anything is trained
    return Ruler(stills, RECIPES[args.recipe], args.scenes, args.clips, choose_device(args.device))


def _command(args: argparse.Namespace) -> str:
    """The command without this machine's paths: it may be published with the table."""
    words = ["cleanplate", "ablate", args.ablation]
    if args.ablation == "pixels":
        for weights in args.weights:
            words += ["--weights", Path(weights).name]
        words += ["--patches", ",".join(str(count) for count in args.patches)]
        words += _options(args, ("base_scale",))
    else:
        words += ["--plan", Path(args.plan).name, *_options(args, ("steps",)), "--out", "OUT"]
        for backbone, file in args.encoder:
            words += ["--encoder", f"{backbone}={Path(file).name}"]
        for backbone in getattr(args, "backbone", None) or ():
            words += ["--backbone", backbone]
        words += _options(args, ("seed",))
    words += ["--data", "DATA"]
    return shlex.join(words + _options(args, ("set", "rooms", "recipe", "size", "scenes", "clips")))


def _options(args: argparse.Namespace, names: Sequence[str]) -> list[str]:
    words = []
    for name in names:
        value = getattr(args, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def _count(word: str) -> int:
    if not word.isdigit():
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of 0 or more")
    return int(word)


def _counts(words: str) -> list[int]:
    return sorted({_count(word.strip()) for word in words.split(",")})


def _pair(word: str) -> tuple[str, str]:
    backbone, equals, file = word.partition("=")
    if not equals or not file or backbone not in BACKBONE_NAMES:
        raise argparse.ArgumentTypeError(
            f"{word!r} is not BACKBONE=FILE with one of {', '.join(BACKBONE_NAMES)}"
        )
    return backbone, file

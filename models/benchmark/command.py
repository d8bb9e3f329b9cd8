"""`cleanplate bench matting`: from I420 to I420, plain torch and the engine in one run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from models.errors import MattingError

if TYPE_CHECKING:
    from models.benchmark.table import Table

OPERATOR_ERROR = 2

SUMMARY: Final = "a frame's time and rate, beside plain torch, and where it goes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is measured, for how long, and where it is written."""
    parser.add_argument("--size", default="1280x720", help="of the frames (default: %(default)s)")
    parser.add_argument(
        "--weights", metavar="NAME", help="card or file; the best card if not given"
    )
    parser.add_argument(
        "--random",
        choices=("mobilenetv2", "resnet50", "resnet101"),
        metavar="BACKBONE",
        help="a network with random parameters instead: as fast, and it needs no file",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument(
        "--precision",
        choices=("fp32", "bf16", "int8"),
        help="of the engine's base network on a processor (default: the fastest one that is right)",
    )
    parser.add_argument(
        "--streams", type=_counts, default=(), metavar="N,N,...",
        help="also so many streams at once (default: 1,4,8 on an accelerator, none elsewhere)",
    )  # fmt: skip
    parser.add_argument(
        "--rate", type=_rate, metavar="FPS",
        help="also with a governor that looks less closely to hold so many frames a second",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=_seconds, default=10.0, help="for each measurement (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not the tables")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables there as well"
    )


def run(args: argparse.Namespace) -> int:
    """Measure; returns the exit status."""
    try:
        table = bench(args)
        if args.markdown:
            try:
                args.markdown.write_text(table.as_markdown(), encoding="utf-8")
            except OSError as error:
                raise MattingError(f"{args.markdown} cannot be written: {error}") from error
    except MattingError as error:
        sys.stderr.write(f"cleanplate bench matting: {error}\n")
        return OPERATOR_ERROR
    text = json.dumps(table.as_json(), indent=1) + "\n" if args.json else table.as_markdown()
    sys.stdout.write(text)
    return 0


def bench(args: argparse.Namespace) -> Table:
    """The table that the arguments ask for.

    Raises:
        MattingError: weights or device are missing, or an argument is out of range.
    """
    # Imported late: `--help` must not wait for torch.
    from models.benchmark.measuring import measure

    return measure(
        size=args.size,
        weights=args.weights,
        backbone=args.random,
        device=args.device,
        precision=args.precision,
        streams=args.streams,
        rate=args.rate,
        seconds=args.seconds,
        command=_command(args),
        tell=_tell,
    )


def _tell(phase: str) -> None:
    """What is being done, where somebody waits for it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"cleanplate bench matting: {phase} ...\n")
        sys.stderr.flush()


def _command(args: argparse.Namespace) -> str:
    """Without the paths of this machine."""
    words = [f"cleanplate bench matting --size {args.size} --device {args.device}"]
    if args.random:
        words.append(f"--random {args.random}")
    elif args.weights:
        words.append(f"--weights {Path(args.weights).name}")
    if args.precision:
        words.append(f"--precision {args.precision}")
    if args.streams:
        words.append(f"--streams {','.join(map(str, args.streams))}")
    if args.rate:
        words.append(f"--rate {args.rate:g}")
    return " ".join([*words, f"--seconds {args.seconds:g}"])


def _counts(text: str) -> tuple[int, ...]:
    words = text.split(",")
    if not all(word.isdigit() and 1 <= int(word) <= 16 for word in words):
        raise argparse.ArgumentTypeError(f"numbers from 1 to 16 with commas between, not {text!r}")
    return tuple(int(word) for word in words)


def _seconds(text: str) -> float:
    return _number(text, 3600, "seconds")


def _rate(text: str) -> float:
    return _number(text, 1000, "frames a second")


def _number(text: str, most: int, of_what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= most:
        raise argparse.ArgumentTypeError(f"{of_what} from above 0 to {most}, not {text!r}")
    return number

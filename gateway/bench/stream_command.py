"""`cleanplate bench stream`: what people get, from their camera to their screen."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.bench.errors import BenchError
from gateway.bench.impairment import Impairment
from gateway.bench.plan import Plan
from gateway.settings import SettingsError
from models.errors import MattingError

if TYPE_CHECKING:
    from gateway.bench.report import Report

MISSED, OPERATOR_ERROR, INTERRUPTED = 1, 2, 130
"""Exit statuses: measured, but not what `--expect` says; nothing measured; given up."""
EXPECTATIONS: Final = ("fps", "added-p95", "recovery", "lip-sync")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is sent, over what line, for how long, and where the figures go."""
    add_camera_arguments(parser)
    parser.add_argument(
        "--seconds", type=_positive, default=20.0, metavar="SECONDS", help="default: %(default)g"
    )
    parser.add_argument(
        "--warm-up", type=_amount, default=3.0, metavar="SECONDS", help="default: %(default)g"
    )
    parser.add_argument(
        "--direct",
        type=_amount,
        default=5.0,
        metavar="SECONDS",
        help="of a call without a gateway, to tell what is added; 0 leaves it out "
        "(default: %(default)g)",
    )
    parser.add_argument(
        "--watch", action="store_true", help="receive through WHEP instead of the same connection"
    )
    parser.add_argument(
        "--watchers",
        type=int,
        choices=range(1000),
        default=0,
        metavar="N",
        help="of each stream besides, through WHEP, to see what they cost the server; they decode "
        "nothing (default: %(default)s)",
    )
    parser.add_argument(
        "--sound", action="store_true", help="send a beep every second and tell the lip sync"
    )
    add_server_arguments(parser)
    line = parser.add_argument_group("line", "what happens to packets, each way, while measuring")
    line.add_argument("--loss", type=_share, default=0.0, metavar="PERCENT")
    line.add_argument("--delay", type=_amount, default=0.0, metavar="MS")
    line.add_argument("--jitter", type=_amount, default=0.0, metavar="MS", help="added to --delay")
    line.add_argument(
        "--reorder", type=_share, default=0.0, metavar="PERCENT", help="that others overtake"
    )
    line.add_argument(
        "--burst", type=_amount, default=0.0, metavar="MS", help="without any packet, now and then"
    )
    line.add_argument(
        "--burst-every", type=_positive, default=5.0, metavar="SECONDS", help="default: %(default)g"
    )
    line.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all chances (default: %(default)s)"
    )
    out = parser.add_argument_group("results")
    out.add_argument("--json", action="store_true", help="print as JSON")
    out.add_argument("--csv", type=Path, metavar="FILE", help="every second of every stream")
    out.add_argument("--plot", type=Path, metavar="FILE", help="the same as a drawing (SVG)")
    out.add_argument(
        "--expect",
        action="append",
        default=[],
        type=_expectation,
        metavar="NAME=VALUE",
        help="fail unless it holds for every stream: fps=30 (at least), added-p95=100, "
        "recovery=1000, lip-sync=40 (ms, at most, of 95 %% of the beeps); may be repeated",
    )


def add_camera_arguments(parser: argparse.ArgumentParser) -> None:
    """What cameras show; shared with the soak."""
    parser.add_argument(
        "--streams", type=_count, default=1, metavar="N", help="at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--size", type=_size, default=(640, 360), metavar="WxH", help="default: 640x360"
    )
    parser.add_argument(
        "--fps", type=_positive, default=30.0, metavar="N", help="default: %(default)g"
    )
    parser.add_argument(
        "--codec", choices=["vp8", "h264"], default="vp8", help="default: %(default)s"
    )
    parser.add_argument(
        "--backdrop",
        default="#5a6472",
        help="#rrggbb, blur or the id of a built-in one (default: %(default)s)",
    )
    parser.add_argument(
        "--clip",
        type=Path,
        metavar="FILE",
        help="video or picture of somebody, instead of the drawn one; the numbered card is put "
        "before their chest",
    )
    parser.add_argument(
        "--plate", type=Path, metavar="FILE", help="the same scene without them; with --clip"
    )


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Which server; shared with the soak."""
    parser.add_argument(
        "--set",
        action="append",
        dest="settings",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of `cleanplate serve`, such as device=cpu; may be repeated",
    )
    parser.add_argument(
        "--media-alone",
        action="store_true",
        help="without networks: what is left when matting costs nothing",
    )


def run(args: argparse.Namespace) -> int:
    """Measure and report; returns the exit status."""
    try:
        report = measure(args)
    except (BenchError, SettingsError, MattingError) as error:
        return complain("stream", str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    # Imported late, see `measure`.
    from gateway.bench.plot import write_plot
    from gateway.bench.report import table, write_csv

    text = json.dumps(report.as_json(), indent=2) if args.json else table(report)
    sys.stdout.write(text + "\n")
    try:
        if args.csv:
            write_csv(args.csv, report)
        if args.plot:
            write_plot(args.plot, report)
    except OSError as error:
        return complain("stream", f"{error.filename} cannot be written: {error.strerror}")
    missed = misses(report, args.expect)
    for each in missed:
        sys.stderr.write(f"cleanplate bench stream: {each}\n")
    return MISSED if missed else 0


def measure(args: argparse.Namespace) -> Report:
    """What `run` does before it reports.

    Raises:
        BenchError: the server or a stream did not work.
        SettingsError, MattingError: what the operator asked for is impossible.
    """
    # Take seconds, which `--help` must not wait for.
    from gateway.bench.measurement import measured
    from gateway.bench.server import serve_arguments

    plan = make_plan(args)
    return measured(
        plan,
        args.streams,
        serve_arguments(args.settings, args.streams, args.watchers),
        settings=args.settings,
        media_alone=args.media_alone,
    )


def make_plan(args: argparse.Namespace) -> Plan:
    """The plan that the arguments ask for; raises `BenchError`."""
    if (args.clip is None) != (args.plate is None):
        raise BenchError("--clip and --plate belong together: the network compares the two")
    for path in (args.clip, args.plate):
        if path is not None and not path.is_file():
            raise BenchError(f"there is no file {path}")
    line = Impairment(
        loss=args.loss / 100,
        delay=args.delay / 1000,
        jitter=args.jitter / 1000,
        reorder=args.reorder / 100,
        burst=args.burst / 1000,
        burst_every=args.burst_every,
    )
    if line.burst >= line.burst_every:
        raise BenchError("--burst must be shorter than --burst-every")
    width, height = args.size
    return Plan(
        width,
        height,
        fps=args.fps,
        seconds=args.seconds,
        warm_up=args.warm_up,
        codec=args.codec,
        direct=args.direct,
        watch=args.watch,
        watchers=args.watchers,
        sound=args.sound,
        backdrop=args.backdrop,
        clip=args.clip,
        plate=args.plate,
        impairment=line,
        seed=args.seed,
    )


def misses(report: Report, expected: Sequence[tuple[str, float]]) -> list[str]:
    """What was expected and does not hold, a sentence each."""
    found: list[str] = []
    for number, stream in enumerate(report.streams, 1):
        for name, value in expected:
            added = stream.added.p95 if stream.added else None
            if name == "fps" and stream.composited_fps < value:
                found.append(f"stream {number}: {stream.composited_fps} fps, expected {value:g}")
            elif name == "added-p95" and (added is None or added > value):
                shown = "unknown without --direct" if added is None else f"{added} ms"
                found.append(f"stream {number}: added p95 {shown}, expected {value:g} ms")
            elif name == "lip-sync":
                sync = stream.lip_sync
                if sync is None or sync.p95 > value:
                    shown = "no beep was heard" if sync is None else f"{sync.p95} ms apart"
                    found.append(f"stream {number}: {shown}, expected {value:g} ms")
            elif name == "recovery":
                slow = [each for each in stream.recoveries if each is None or 1000 * each > value]
                if slow or not stream.recoveries:
                    found.append(
                        f"stream {number}: {len(slow)} of {len(stream.recoveries)} bursts were not "
                        f"recovered from within {value:g} ms"
                    )
    return found


def complain(subject: str, text: str) -> int:
    """One line to standard error; returns the exit status."""
    sys.stderr.write(f"cleanplate bench {subject}: {text}\n")
    return OPERATOR_ERROR


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 160 <= width <= 4096 or not 90 <= height <= 2304 or width % 2 or height % 2:
        raise argparse.ArgumentTypeError(
            f"{text} is not WIDTHxHEIGHT, even and from 160x90 to 4096x2304"
        )
    return width, height


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is not a number of 1 or more")
    return int(text)


def _amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of 0 or more")
    return value


def _positive(text: str) -> float:
    value = _amount(text)
    if not value:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _share(text: str) -> float:
    value = _amount(text)
    if value > 100:
        raise argparse.ArgumentTypeError(f"{text} is not a percentage")
    return value


def _expectation(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in EXPECTATIONS:
        raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(EXPECTATIONS)} with =VALUE")
    return name, _amount(value)

"""`cleanplate bench soak`: people come and go for hours, and the server must not grow."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.bench.errors import BenchError
from gateway.bench.machine import machine, now, versions
from gateway.bench.plan import Plan
from gateway.bench.stream_command import (
    INTERRUPTED,
    MISSED,
    add_camera_arguments,
    add_server_arguments,
    complain,
)
from gateway.settings import SettingsError
from models.errors import MattingError

if TYPE_CHECKING:
    from gateway.bench.growth import Growth
    from gateway.bench.usage import Sample

FEWEST_SAMPLES: Final = 6
"""Of which a fifth is not judged and the rest falls into thirds."""
COLUMNS: Final = ("seconds", "visits", "memory_mib", "threads", "descriptors", "cpu_seconds")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who comes, how long they stay, how long it goes on."""
    add_camera_arguments(parser)
    parser.add_argument("--seconds", type=float, default=3600.0, help="default: %(default)g")
    parser.add_argument(
        "--visit",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="that everybody stays before they leave and others come (default: %(default)g)",
    )
    add_server_arguments(parser)
    parser.add_argument("--csv", type=Path, metavar="FILE", help="every sample, as it is taken")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(args: argparse.Namespace) -> int:
    """Visit for as long as asked; the exit status is 1 if the server grew."""
    try:
        with ExitStack() as stack:
            visits, verdicts = soak(args, stack)
    except (BenchError, SettingsError, MattingError) as error:
        return complain("soak", str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    return tell(args, visits, verdicts)


def tell(args: argparse.Namespace, visits: int, verdicts: Sequence[Growth]) -> int:
    """Print the verdicts; returns the exit status."""
    flat = all(each.flat for each in verdicts)
    width, height = args.size
    about = (
        f"{visits} visits of {args.streams} at {width}x{height}, {args.fps:g} fps, over "
        f"{args.seconds:g} s"
    )
    if args.json:
        found: dict[str, Any] = {
            "machine": machine(),
            "date": now(),
            "versions": versions(),
            "visits": visits,
            "seconds": args.seconds,
            "flat": flat,
            "growth": {
                each.name: {
                    "before": each.before,
                    "after": each.after,
                    "per_hour": round(each.per_hour, 2),
                    "allowed": round(each.allowed, 2),
                }
                for each in verdicts
            },
        }
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        lines = [f"cleanplate bench soak, {now()}", f"  {machine()}", f"  {about}"]
        sys.stdout.write("\n".join([*lines, *(f"  {each}" for each in verdicts)]) + "\n")
    return 0 if flat else MISSED


def soak(args: argparse.Namespace, stack: ExitStack) -> tuple[int, list[Growth]]:
    """How many visits there were, and what grew; raises `BenchError`."""
    from gateway.bench.crew import crew
    from gateway.bench.growth import LIMITS, growth
    from gateway.bench.measurement import Progress
    from gateway.bench.server import MEDIA_ALONE, SERVE, serve_arguments, server
    from gateway.bench.usage import Sampler, usage

    if args.visit <= 0 or args.seconds < 0:
        raise BenchError("--visit and --seconds are more than 0")
    plan = _plan(args)
    # What lingers after a visit must be gone within the soak, or a short one would see it grow.
    linger = [f"stream_linger={min(60.0, args.visit):g}", *args.settings]
    arguments = serve_arguments(linger, 2 * args.streams)
    journal = stack.enter_context(_Journal(args.csv)) if args.csv else None
    participants = stack.enter_context(crew(plan, args.streams))
    running = stack.enter_context(server(arguments, MEDIA_ALONE if args.media_alone else SERVE))
    progress = stack.enter_context(Progress(args.seconds))
    if usage([running.pid]) is None:
        raise BenchError("this system has no /proc, which tells what the server holds")
    sampler = Sampler(running.pid, [])
    began, visits = time.monotonic(), 0
    progress.begin("soaking", args.seconds)

    def tick() -> None:
        progress.tick()
        seen = len(sampler.samples)
        sampler.tick()
        if journal is not None and len(sampler.samples) > seen:
            journal.write(sampler.samples[-1], began, visits)

    while time.monotonic() < began + args.seconds or len(sampler.samples) < FEWEST_SAMPLES:
        participants.visit(running.url, tick)
        for number, record in enumerate(participants.measure(args.visit, tick)):
            if not record.seen:
                raise BenchError(f"visit {visits + 1}: participant {number + 1} saw no composite")
        visits += 1
    times = [sample.server.at for sample in sampler.samples]
    return visits, [
        growth(name, times, values, LIMITS[name])
        for name, values in _columns(sampler.samples).items()
    ]


def _plan(args: argparse.Namespace) -> Plan:
    if (args.clip is None) != (args.plate is None):
        raise BenchError("--clip and --plate belong together: the network compares the two")
    width, height = args.size
    return Plan(
        width,
        height,
        fps=args.fps,
        seconds=args.visit,
        warm_up=0.0,
        codec=args.codec,
        direct=0.0,
        backdrop=args.backdrop,
        clip=args.clip,
        plate=args.plate,
    )


def _columns(samples: Sequence[Sample]) -> dict[str, list[float]]:
    servers = [sample.server for sample in samples]
    return {
        "memory_mib": [each.resident_mib for each in servers],
        "threads": [float(each.threads) for each in servers],
        "descriptors": [float(each.descriptors) for each in servers],
    }


class _Journal:
    """Samples in a CSV file, each written when it is taken: a soak may be cut short."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", newline="", buffering=1)
        except OSError as error:
            raise BenchError(f"{path} cannot be written: {error.strerror}") from error
        self._rows = csv.writer(self._file)
        self._rows.writerow(COLUMNS)

    def __enter__(self) -> _Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, sample: Sample, began: float, visits: int) -> None:
        """One row."""
        server = sample.server
        self._rows.writerow(
            [
                round(server.at - began, 1),
                visits,
                round(server.resident_mib, 1),
                server.threads,
                server.descriptors,
                round(server.cpu_seconds, 1),
            ]
        )

"""`cleanplate bench`: everything that measures speed, one subcommand each."""

from __future__ import annotations

import argparse
import importlib
from typing import Final

SUBJECTS: Final = {
    "matting": ("models.benchmark.command", "pixels to pixels, beside plain PyTorch"),
    "stream": ("gateway.bench.stream_command", "end to end through WebRTC"),
    "soak": ("gateway.bench.soak_command", "whether a server grows while people come and go"),
}
"""Module and summary of each; a module has `add_arguments(parser)` and `run(args) -> int`, and is
imported for its arguments alone: what takes seconds to import waits for `run`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand per subject."""
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    for name, (module, summary) in SUBJECTS.items():
        added = subjects.add_parser(name, help=summary, description=f"bench {name}: {summary}")
        importlib.import_module(module).add_arguments(added)


def run(args: argparse.Namespace) -> int:
    """Measure the chosen subject; returns the exit status."""
    status: int = importlib.import_module(SUBJECTS[args.subject][0]).run(args)
    return status

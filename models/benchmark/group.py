"""`cleanplate bench`: what can be measured."""

from __future__ import annotations

import argparse
import importlib
from typing import Final

from models.benchmark.command import SUMMARY

BENCHES: Final = {"matting": ("models.benchmark.command", SUMMARY)}
"""Module and summary of each; a module has `add_arguments(parser)` and `run(args) -> int`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One action for each."""
    actions = parser.add_subparsers(dest="bench", required=True, metavar="BENCH")
    for name, (module, summary) in BENCHES.items():
        action = actions.add_parser(name, help=summary, description=summary)
        importlib.import_module(module).add_arguments(action)


def run(args: argparse.Namespace) -> int:
    """Run the one that was asked for; returns the exit status."""
    module, _ = BENCHES[args.bench]
    status: int = importlib.import_module(module).run(args)
    return status

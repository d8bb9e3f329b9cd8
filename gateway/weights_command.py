"""`cleanplate weights`: list the cards, verify the files, import an official checkpoint."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import MattingError

if TYPE_CHECKING:
    from models.weights import Card

OPERATOR_ERROR = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list` (also without a word), `verify [NAME]` and `import FILE`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parser.set_defaults(action="list", json=False)
    listing = actions.add_parser("list", help="the cards that are here")
    verifying = actions.add_parser("verify", help="check checksums and parameters")
    verifying.add_argument("name", nargs="?", metavar="NAME", help="one card; all if not given")
    importing = actions.add_parser("import", help="take in a checkpoint of the network's authors")
    importing.add_argument("file", type=Path, metavar="FILE", help=".pth, TorchScript, safetensors")
    importing.add_argument("--name", help="ARCHITECTURE.TAG; made from FILE's name if not given")
    for action in (listing, verifying, importing):
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
    note = {"verify": "verified", "import": "imported"}.get(args.action, "")
    for card in cards:
        mark = note or ("default" if card.name == best else "")
        line = f"{card.name:32} {card.size / 1e6:7.1f} MB  {card.created:10}  {mark}"
        sys.stdout.write(line.rstrip() + "\n")
    return 0


def _as_json(card: Card, best: str) -> dict[str, object]:
    return {
        "name": card.name,
        "architecture": card.architecture,
        "file": str(card.path),
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
    }

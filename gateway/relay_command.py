"""`cleanplate relay`: pull from a WHEP server, matte, push to a WHIP server, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from gateway import settings_sources
from gateway.attendance import BadOrder, Work, attend
from gateway.attended_relay import Order, anywhere, attended
from gateway.grants import NAME
from gateway.relays.outbound import Refused
from gateway.relays.relay import Plan
from gateway.scenery import BadScenery, read_scenery
from gateway.serve import MakeEngine, open_engine
from gateway.settings import PREFIX

TOKENS: Final = {"from_token": f"{PREFIX}FROM_TOKEN", "to_token": f"{PREFIX}TO_TOKEN"}
"""Where tokens may stand besides: other users of a machine can read a command line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two URLs, the scene, and all settings."""
    relay = parser.add_argument_group("relay")
    relay.add_argument(
        "--from", dest="pull_url", metavar="URL", required=True, help="WHEP URL to pull from"
    )
    relay.add_argument(
        "--to",
        dest="push_url",
        metavar="URL",
        required=True,
        help="WHIP URL to push the composite to",
    )
    for name, what in (("from_token", "the one to pull from"), ("to_token", "the other")):
        relay.add_argument(
            settings_sources.flag_of(name),
            dest=name,
            metavar="TOKEN",
            help=f"Bearer token for {what}; better in {TOKENS[name]}, where no list of processes "
            "shows it",
        )
    relay.add_argument(
        "--plate",
        metavar="PLATE",
        help="first: the first still, empty seconds of the video; or a picture file of the empty "
        "scene; or kept:NAME, from plates_folder. At a terminal, Enter captures one at any time",
    )
    relay.add_argument(
        "--backdrop",
        metavar="BACKDROP",
        help="a picture file, a picture of the gallery, #rrggbb, blur, blur:RADIUS or transparent",
    )
    relay.add_argument("--name", default="relay", help="of the stream in between; default: relay")
    relay.add_argument(
        "--serve",
        action="store_true",
        help="also open the gateway's port (host, port), where plate and backdrop can be set and "
        "the composite be watched",
    )
    settings_sources.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Relay until SIGINT or SIGTERM, or until it is hopeless; returns the exit status."""
    return relay(args, open_engine)


def relay(args: argparse.Namespace, make_engine: MakeEngine) -> int:
    """With an engine of the caller's."""

    def order() -> Work:
        ordered = read_order(args)
        return lambda settings, engine, door: attended(settings, engine, ordered, door)

    return attend(args, make_engine, order)


def read_order(args: argparse.Namespace) -> Order:
    """The command line and the tokens of the environment; raises `BadOrder`."""
    if not NAME.fullmatch(args.name):
        raise BadOrder("--name takes 1 to 64 of A-Z, a-z, 0-9, - and _")
    outbound = anywhere()
    urls = {}
    for flag, text in (("--from", args.pull_url), ("--to", args.push_url)):
        try:
            urls[flag] = outbound.read(text)
        except Refused as error:
            raise BadOrder(f"{flag}: {error}") from None
    files: dict[str, Path] = {}
    words: dict[str, str] = {}
    for name, wish in (("plate", args.plate), ("backdrop", args.backdrop)):
        if wish is not None:
            if Path(wish).is_file():
                files[name] = Path(wish)
            else:
                words[name] = wish
    try:
        scenery = read_scenery(words)
    except BadScenery as error:
        raise BadOrder(f"--{error.reason}: {error.detail} There is no such file either.") from None
    return Order(
        Plan(
            pull_url=urls["--from"],
            push_url=urls["--to"],
            name=args.name,
            pull_token=args.from_token or os.environ.get(TOKENS["from_token"]) or None,
            push_token=args.to_token or os.environ.get(TOKENS["to_token"]) or None,
            scenery=scenery,
        ),
        plate_file=files.get("plate"),
        backdrop_file=files.get("backdrop"),
    )

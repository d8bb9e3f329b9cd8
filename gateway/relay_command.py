"""`cleanplate relay`: pull from a WHEP server, matte, push to a WHIP server, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import Final

from gateway import settings_sources
from gateway.attended_relay import BadOrder, Door, Order, anywhere, attended
from gateway.backdrops import check_default
from gateway.gallery import built_in
from gateway.grants import NAME
from gateway.relays.outbound import Refused
from gateway.relays.relay import Plan
from gateway.scenery import BadScenery, read_scenery
from gateway.serve import (
    INTERRUPTED,
    MakeEngine,
    check_exposure,
    complain,
    listen,
    open_engine,
    tls,
)
from gateway.settings import PREFIX, Settings, SettingsError
from gateway.settings_sources import load
from models.errors import MattingError

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
    """What the operator can mend is told in one line, most of it before networks are loaded."""
    try:
        settings = load(config=args.config, environment=os.environ, command_line=vars(args))
        # What INFO would say is said on standard output already.
        level = "WARNING" if settings.log_level == "info" else settings.log_level.upper()
        logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        check_default(settings.default_backdrop, built_in())
        order = read_order(args)
        with contextlib.ExitStack() as stack:
            door = open_door(settings, stack) if args.serve else None
            engine = make_engine(settings)
            stack.callback(engine.close)
            failure = asyncio.run(attended(settings, engine, order, door))
        return 0 if failure is None else complain(failure)
    except (SettingsError, MattingError, BadOrder) as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def open_door(settings: Settings, stack: contextlib.ExitStack) -> Door:
    """Bind the gateway's port; raises `SettingsError`."""
    check_exposure(settings)
    context = tls(settings)
    return Door(stack.enter_context(listen(settings)), context)


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

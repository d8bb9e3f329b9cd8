"""`cleanplate livekit`: matte everybody in a LiveKit room, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Callable
from typing import Final

from yarl import URL

from gateway import settings_sources
from gateway.attendance import BadOrder
from gateway.relays.backoff import Patience
from gateway.rooms import room_command
from gateway.rooms.livekit_link import Encoding, Join, Token
from gateway.rooms.livekit_room import LiveKitRoom
from gateway.scenery import Scenery
from gateway.serve import MakeEngine, open_engine, say
from gateway.settings import PREFIX, Settings
from gateway.worker import Worker

SECRETS: Final = {"token": (f"{PREFIX}LIVEKIT_TOKEN", "access token of the gateway's participant")}
CLIENT: Final = "livekit.rtc"
MISSING: Final = (
    "cleanplate livekit needs LiveKit's client, which is not installed: pip install 'livekit>=1.2'"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The room, the scene, and all settings."""
    room = parser.add_argument_group("room")
    room.add_argument("--url", required=True, help="LiveKit's address: ws://HOST:7880 or wss://")
    room.add_argument("--participants", default="all", metavar="WHO", help=room_command.WHOM)
    room_command.add_scene(room, SECRETS)
    settings_sources.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Stay until SIGINT or SIGTERM, or until it is hopeless; returns the exit status."""
    return ended(lambda: livekit(args, open_engine, sdk_join))


def ended(work: Callable[[], int]) -> int:
    """Work, and end this program here once LiveKit's client is loaded: all of ours is closed then.

    Its threads call Python whenever they have something to say. Where that is on its way out they
    abort the whole program, after a good goodbye: now and then with `livekit` 1.2.1.
    """
    status = 1
    try:
        status = work()
    except BaseException:
        if CLIENT not in sys.modules:
            raise
        with contextlib.suppress(OSError):
            traceback.print_exc()
    if CLIENT in sys.modules:
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            # Whoever read may have gone first.
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(status)
    return status


def sdk_join() -> Join:
    """LiveKit's own client, an optional extra; raises `BadOrder` where it is missing."""
    try:
        from gateway.rooms.livekit_sdk import joined
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "livekit":
            raise
        raise BadOrder(MISSING) from None
    return joined


def livekit(args: argparse.Namespace, make_engine: MakeEngine, find: Callable[[], Join]) -> int:
    """With an engine and a client of the caller's."""

    def order() -> room_command.MakeRoom:
        url = URL(args.url)
        if url.scheme not in ("ws", "wss") or not url.host:
            raise BadOrder("--url takes ws://HOST:PORT or wss://HOST of LiveKit")
        token = room_command.read_secrets(args, SECRETS)["token"]
        if not token:
            raise BadOrder(f"LiveKit wants a token: set {SECRETS['token'][0]}, or --token")
        join = find()

        def room(settings: Settings, worker: Worker, scenery: Scenery) -> LiveKitRoom:
            encoding, kept = Encoding(settings.downlink_max * 1000, settings.rate), Token(token)
            return LiveKitRoom(
                lambda: join(str(url), kept, encoding),
                worker,
                scenery=scenery,
                wanted=room_command.read_wanted(args.participants),
                patience=Patience(),
                tell=say,
            )

        return room

    return room_command.stay(args, make_engine, order)

"""`cleanplate janus`: matte everybody in a VideoRoom of Janus's, until Ctrl-C."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Final

from yarl import URL

from gateway import settings_sources
from gateway.attendance import BadOrder
from gateway.relays.backoff import Patience
from gateway.rooms import room_command
from gateway.rooms.janus_room import JanusRoom
from gateway.rooms.janus_seat import RoomPlan
from gateway.scenery import Scenery
from gateway.serve import MakeEngine, open_engine, say
from gateway.settings import PREFIX, Settings
from gateway.worker import Worker

SECRETS: Final = {
    "pin": (f"{PREFIX}JANUS_PIN", "the room's PIN"),
    "janus_token": (f"{PREFIX}JANUS_TOKEN", "a token, where Janus wants one"),
    "api_secret": (f"{PREFIX}JANUS_API_SECRET", "the API secret, where Janus wants one"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The room, the scene, and all settings."""
    room = parser.add_argument_group("room")
    room.add_argument("--url", required=True, help="Janus's WebSocket: ws://HOST:8188 or wss://")
    room.add_argument("--room", required=True, help="number or name of the VideoRoom")
    room.add_argument("--publishers", default="all", metavar="WHO", help=room_command.WHOM)
    room_command.add_scene(room, SECRETS)
    settings_sources.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Stay until SIGINT or SIGTERM, or until it is hopeless; returns the exit status."""
    return janus(args, open_engine)


def janus(args: argparse.Namespace, make_engine: MakeEngine) -> int:
    """With an engine of the caller's."""

    def order() -> room_command.MakeRoom:
        plan = read_plan(args)

        def room(settings: Settings, worker: Worker, scenery: Scenery) -> JanusRoom:
            return JanusRoom(
                replace(plan, scenery=scenery),
                worker,
                deadline=settings.connect_deadline,
                patience=Patience(),
                tell=say,
            )

        return room

    return room_command.stay(args, make_engine, order)


def read_plan(args: argparse.Namespace) -> RoomPlan:
    """The command line and the environment's secrets; raises `BadOrder`."""
    url = URL(args.url)
    if url.scheme not in ("ws", "wss") or not url.host:
        raise BadOrder("--url takes ws://HOST:PORT or wss://HOST:PORT of Janus's WebSocket")
    hidden = room_command.read_secrets(args, SECRETS)
    return RoomPlan(
        url=url,
        # As Janus is set up, rooms have numbers or names.
        room=int(args.room) if args.room.isdigit() else args.room,
        pin=hidden["pin"],
        token=hidden["janus_token"],
        secret=hidden["api_secret"],
        wanted=room_command.read_wanted(args.publishers),
    )

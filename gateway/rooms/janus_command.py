"""`cleanplate janus`: matte everybody in a VideoRoom of Janus's, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from aiohttp import web
from yarl import URL

from gateway import settings_sources
from gateway.app import BACKDROPS, WORKER, create_app
from gateway.attended_relay import BadOrder, Door, upload
from gateway.backdrops import UnknownBackdrop, check_default
from gateway.gallery import built_in
from gateway.kept_plates import UnknownPlate
from gateway.matting import Engine
from gateway.relay_command import open_door
from gateway.relays.backoff import Patience
from gateway.relays.leg import Hopeless
from gateway.rooms.janus_room import JanusRoom
from gateway.rooms.janus_seat import RoomPlan
from gateway.scenery import BadScenery, read_scenery
from gateway.serve import INTERRUPTED, PATIENCE, MakeEngine, complain, open_engine, say
from gateway.settings import PREFIX, Settings, SettingsError
from gateway.settings_sources import load
from models.errors import MattingError

SECRETS: Final = {
    "pin": (f"{PREFIX}JANUS_PIN", "the room's PIN"),
    "janus_token": (f"{PREFIX}JANUS_TOKEN", "a token, where Janus wants one"),
    "api_secret": (f"{PREFIX}JANUS_API_SECRET", "the API secret, where Janus wants one"),
}
"""Options that may stand in the environment: other users of a machine can read a command line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The room, the scene, and all settings."""
    room = parser.add_argument_group("room")
    room.add_argument("--url", required=True, help="Janus's WebSocket: ws://HOST:8188 or wss://")
    room.add_argument("--room", required=True, help="number or name of the VideoRoom")
    room.add_argument(
        "--publishers",
        default="all",
        metavar="WHO",
        help="whom to matte: ids or display names, with commas between; default: all",
    )
    room.add_argument(
        "--plate",
        metavar="PLATE",
        help="first: of everybody the first still, empty seconds of their video; or kept:NAME",
    )
    room.add_argument(
        "--backdrop",
        metavar="BACKDROP",
        help="a picture file, a picture of the gallery, #rrggbb, blur, blur:RADIUS or transparent",
    )
    for name, (variable, what) in SECRETS.items():
        flag = settings_sources.flag_of(name)
        room.add_argument(flag, dest=name, metavar="SECRET", help=f"{what}; better in {variable}")
    room.add_argument(
        "--serve",
        action="store_true",
        help="also open the gateway's port (host, port), where plates and backdrops can be set",
    )
    settings_sources.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Stay until SIGINT or SIGTERM, or until it is hopeless; returns the exit status."""
    return janus(args, open_engine)


def janus(args: argparse.Namespace, make_engine: MakeEngine) -> int:
    """What the operator can mend is told in one line, most of it before networks are loaded."""
    try:
        settings = load(config=args.config, environment=os.environ, command_line=vars(args))
        level = "WARNING" if settings.log_level == "info" else settings.log_level.upper()
        logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        check_default(settings.default_backdrop, built_in())
        plan, backdrop = read_plan(args)
        with contextlib.ExitStack() as stack:
            door = open_door(settings, stack) if args.serve else None
            engine = make_engine(settings)
            stack.callback(engine.close)
            asyncio.run(attended(settings, engine, plan, backdrop, door))
        return 0
    except (SettingsError, MattingError, BadOrder, Hopeless) as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def read_plan(args: argparse.Namespace) -> tuple[RoomPlan, Path | None]:
    """The command line and the environment's secrets; also a backdrop's file.

    Raises `BadOrder`.
    """
    url = URL(args.url)
    if url.scheme not in ("ws", "wss") or not url.host:
        raise BadOrder("--url takes ws://HOST:PORT or wss://HOST:PORT of Janus's WebSocket")
    words = {"plate": args.plate, "backdrop": args.backdrop}
    file = Path(args.backdrop) if args.backdrop and Path(args.backdrop).is_file() else None
    if file is not None:
        words["backdrop"] = None
    try:
        scenery = read_scenery({name: word for name, word in words.items() if word is not None})
    except BadScenery as error:
        raise BadOrder(f"--{error.reason}: {error.detail}") from None
    hidden = {
        name: getattr(args, name) or os.environ.get(variable)
        for name, (variable, _) in SECRETS.items()
    }
    everybody = args.publishers == "all"
    wanted = frozenset(() if everybody else map(str.strip, args.publishers.split(",")))
    plan = RoomPlan(
        url=url,
        # As Janus is set up, rooms have numbers or names.
        room=int(args.room) if args.room.isdigit() else args.room,
        pin=hidden["pin"],
        token=hidden["janus_token"],
        secret=hidden["api_secret"],
        wanted=wanted,
        scenery=scenery,
    )
    return plan, file


async def attended(
    settings: Settings, engine: Engine, plan: RoomPlan, backdrop: Path | None, door: Door | None
) -> None:
    """Stay in the room until a signal comes; raises `Hopeless` or `BadOrder`."""
    app = create_app(settings, engine)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        if backdrop is not None:
            choice = await asyncio.to_thread(upload, backdrop, app[BACKDROPS])
            plan = replace(plan, scenery=replace(plan.scenery, backdrop=choice))
        try:
            app[WORKER].kept_plate(plan.scenery)
        except UnknownBackdrop as error:
            raise BadOrder(f"--backdrop: there is neither a picture nor a file {error}") from None
        except UnknownPlate as error:
            raise BadOrder(f"--plate: no plate {error} is kept in plates_folder") from None
        if door is not None:
            await web.SockSite(runner, door.listener, ssl_context=door.context).start()
        room = JanusRoom(
            plan,
            app[WORKER],
            deadline=settings.connect_deadline,
            patience=Patience(),
            tell=say,
        )
        staying = asyncio.create_task(room.run())
        with leaving(staying), contextlib.suppress(asyncio.CancelledError):
            await staying
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def leaving(staying: asyncio.Task[None]) -> Iterator[None]:
    """Cancel the task on SIGINT or SIGTERM, and end this program on the second one."""
    loop = asyncio.get_running_loop()

    def leave(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        say("Leaving the room. Once more leaves at once.")
        staying.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, leave, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)

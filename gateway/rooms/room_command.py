"""What the commands that join a room share: options, the gateway around the room, the way out."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from aiohttp import web

from gateway import settings_sources
from gateway.app import BACKDROPS, WORKER, create_app
from gateway.attendance import BadOrder, Door, Work, attend
from gateway.attended_relay import upload
from gateway.backdrops import UnknownBackdrop
from gateway.kept_plates import UnknownPlate
from gateway.matting import Engine
from gateway.scenery import BadScenery, Scenery, read_scenery
from gateway.serve import PATIENCE, MakeEngine, say
from gateway.settings import Settings
from gateway.worker import Worker

Secrets = dict[str, tuple[str, str]]
"""Options that may stand in the environment, as other users of a machine can read a command line:
the variable and the meaning of each."""
WHOM: Final = "whom to matte: ids or display names, with commas between; default: all"


class Room(Protocol):
    """Somebody else's room."""

    async def run(self) -> None:
        """Stay in it; raises `Hopeless`."""


MakeRoom = Callable[[Settings, Worker, Scenery], Room]


def add_scene(room: argparse._ArgumentGroup, secrets: Secrets) -> None:
    """The scene, the secrets, and whether to serve."""
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
    for name, (variable, what) in secrets.items():
        flag = settings_sources.flag_of(name)
        room.add_argument(flag, dest=name, metavar="SECRET", help=f"{what}; better in {variable}")
    room.add_argument(
        "--serve",
        action="store_true",
        help="also open the gateway's port (host, port), where plates and backdrops can be set",
    )


def read_scene(args: argparse.Namespace) -> tuple[Scenery, Path | None]:
    """What the command line says of plate and backdrop, the latter maybe a file.

    Raises `BadOrder`.
    """
    words = {"plate": args.plate, "backdrop": args.backdrop}
    file = Path(args.backdrop) if args.backdrop and Path(args.backdrop).is_file() else None
    if file is not None:
        words["backdrop"] = None
    try:
        given = {name: word for name, word in words.items() if word is not None}
        return read_scenery(given), file
    except BadScenery as error:
        raise BadOrder(f"--{error.reason}: {error.detail}") from None


def read_secrets(args: argparse.Namespace, secrets: Secrets) -> dict[str, str | None]:
    """The command line goes before the environment."""
    return {
        name: getattr(args, name) or os.environ.get(variable)
        for name, (variable, _) in secrets.items()
    }


def read_wanted(words: str) -> frozenset[str]:
    """Ids or names; empty for all."""
    return frozenset(() if words == "all" else map(str.strip, words.split(",")))


def stay(args: argparse.Namespace, make_engine: MakeEngine, order: Callable[[], MakeRoom]) -> int:
    """Be in the room until SIGINT, SIGTERM or its hopelessness; returns the exit status."""

    def read() -> Work:
        make_room = order()
        scenery, backdrop = read_scene(args)
        return lambda settings, engine, door: attended(
            settings, engine, make_room, scenery, backdrop, door
        )

    return attend(args, make_engine, read)


async def attended(
    settings: Settings,
    engine: Engine,
    make_room: MakeRoom,
    scenery: Scenery,
    backdrop: Path | None,
    door: Door | None,
) -> None:
    """Stay in the room until a signal comes; raises `Hopeless` or `BadOrder`."""
    app = create_app(settings, engine)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        if backdrop is not None:
            choice = await asyncio.to_thread(upload, backdrop, app[BACKDROPS])
            scenery = replace(scenery, backdrop=choice)
        try:
            app[WORKER].kept_plate(scenery)
        except UnknownBackdrop as error:
            raise BadOrder(f"--backdrop: there is neither a picture nor a file {error}") from None
        except UnknownPlate as error:
            raise BadOrder(f"--plate: no plate {error} is kept in plates_folder") from None
        if door is not None:
            await web.SockSite(runner, door.listener, ssl_context=door.context).start()
        room = make_room(settings, app[WORKER], scenery)
        staying = asyncio.create_task(room.run())
        with leaving(staying), contextlib.suppress(asyncio.CancelledError):
            await staying
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def leaving(staying: asyncio.Task[None]) -> Iterator[None]:
    """Cancel the task on SIGINT or SIGTERM, and end this program on the second one of either."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def let_go() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)

    def leave() -> None:
        let_go()
        staying.cancel()
        say("Leaving the room. Once more leaves at once.")

    for number in numbers:
        loop.add_signal_handler(number, leave)
    try:
        yield
    finally:
        let_go()

"""One relay with an operator at its terminal, who is told how it goes and can capture the plate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from gateway import events
from gateway.access import KEY_HEADER
from gateway.api import picture_limits
from gateway.app import BACKDROPS, RELAYS, create_app
from gateway.attendance import BadOrder, Door
from gateway.backdrops import Backdrops, UnknownBackdrop
from gateway.engine_calls import EngineFailed
from gateway.first_plate import LIMIT, STILLNESS
from gateway.kept_plates import UnknownPlate
from gateway.matting import Engine
from gateway.pictures import BadPicture, PictureLimits, decode_picture
from gateway.relays.calls import place_of
from gateway.relays.leg import Hopeless
from gateway.relays.outbound import EVERYWHERE, Outbound
from gateway.relays.relay import Plan, Relay
from gateway.serve import PATIENCE, say
from gateway.settings import Settings
from gateway.stream import Stream
from gateway.stream_plate import CaptureImpossible
from gateway.worker import Full
from models.errors import PictureError, PlateRefused

STATUS: Final = 30.0
"""Seconds between two lines of numbers."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator wants."""

    plan: Plan
    plate_file: Path | None = None
    backdrop_file: Path | None = None


def anywhere() -> Outbound:
    """Rules for the operator's own URLs: what they can reach from this machine, they may call."""
    return Outbound(["*"], EVERYWHERE)


async def attended(settings: Settings, engine: Engine, order: Order, door: Door | None) -> None:
    """Run it to its end; raises `Hopeless` or `BadOrder`."""
    app = create_app(settings, engine)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        if door is not None:
            await web.SockSite(runner, door.listener, ssl_context=door.context).start()
        warn(order.plan)
        relay = await begun(app, order, settings)
        stream = await relay.began
        if door is not None:
            introduce(stream, settings, door.listener.getsockname()[1])
        if order.plan.scenery.plate == "first":
            say(
                f"plate: waiting for {STILLNESS:.0f} still seconds with nobody in the picture, "
                f"in the first {LIMIT:.0f} s of video"
            )
        with stopping(relay), telling(stream):
            async with enter_pressed(lambda: capture(stream)):
                await finished(relay, stream)
    finally:
        await runner.cleanup()
    if relay.failed:
        raise Hopeless(relay.reason)
    say(f"Ended: {relay.reason}.")


async def begun(app: web.Application, order: Order, settings: Settings) -> Relay:
    """Begin the relay with the pictures that files bring; raises `BadOrder`."""
    plan, limits = order.plan, picture_limits(settings)
    if order.backdrop_file is not None:
        choice = await asyncio.to_thread(upload, order.backdrop_file, app[BACKDROPS])
        plan = replace(plan, scenery=replace(plan.scenery, backdrop=choice))
    plate = None
    if order.plate_file is not None:
        plate = await asyncio.to_thread(read_picture, "--plate", order.plate_file, limits)
    try:
        relay = await app[RELAYS].begin(plan, anywhere(), say)
    except UnknownBackdrop as error:
        raise BadOrder(f"--backdrop: there is neither a picture nor a file {error}") from None
    except UnknownPlate as error:
        raise BadOrder(f"--plate: no plate {error} is kept in plates_folder") from None
    except Full as error:
        raise BadOrder(str(error)) from None
    if plate is not None:
        stream = await relay.began
        try:
            await stream.plate.load(plate)
        except (PlateRefused, PictureError, EngineFailed) as error:
            advice = error.advice if isinstance(error, PlateRefused) else str(error)
            raise BadOrder(f"--plate: {order.plate_file}: {advice}") from error
    return relay


def upload(path: Path, backdrops: Backdrops) -> events.BackdropChoice:
    """Take a file in as a backdrop; blocks. Raises `BadOrder`."""
    try:
        return events.PictureChoice(id=backdrops.add(path.read_bytes()).id)
    except (OSError, BadPicture) as error:
        raise BadOrder(f"--backdrop: {path}: {error}") from error


def read_picture(flag: str, path: Path, limits: PictureLimits) -> NDArray[np.uint8]:
    """H x W x 3; blocks. Raises `BadOrder`."""
    try:
        return decode_picture(path.read_bytes(), limits)
    except (OSError, BadPicture) as error:
        raise BadOrder(f"{flag}: {path}: {error}") from error


def warn(plan: Plan) -> None:
    """Say that a token can be read on its way."""
    sides = ((plan.pull_url, plan.pull_token), (plan.push_url, plan.push_token))
    for url, token in sides:
        if token and url.scheme == "http" and url.host not in ("localhost", "127.0.0.1", "::1"):
            say(f"warning: the token for {place_of(url)} travels unencrypted; https would hide it")


def introduce(stream: Stream, settings: Settings, port: int) -> None:
    """Say where plate and backdrop can be set, and with what."""
    scheme = "https" if settings.cert else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    place = f"{scheme}://{host}:{port}"
    say(
        f"watch:   {place}/whep/{stream.name}\n"
        f"plate:   curl -X POST -H '{KEY_HEADER}: {stream.key}' "
        f"{place}/streams/{stream.name}/plate"
    )


@contextlib.contextmanager
def stopping(relay: Relay) -> Iterator[None]:
    """End the relay on SIGINT or SIGTERM, and this program on the second one."""
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        say("Stopping: both servers are told. Once more leaves at once.")
        relay.end("it was stopped here")

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def telling(stream: Stream) -> Iterator[None]:
    """Say what happens to the stream."""

    def tell(event: events.Event) -> None:
        if isinstance(event, events.Notice):
            say(f"{event.level}: {event.text}")
        elif isinstance(event, events.PlateChanged):
            say(f"plate: {event.state}")

    stream.listeners.add(tell)
    try:
        yield
    finally:
        stream.listeners.discard(tell)


@contextlib.asynccontextmanager
async def enter_pressed(act: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do something whenever Enter is pressed, if there is a terminal; one after the other."""
    if not sys.stdin.isatty():
        yield
        return
    say("Press Enter to capture the plate, with nobody in the picture.")
    loop, pressed = asyncio.get_running_loop(), asyncio.Event()
    terminal = sys.stdin.fileno()

    def read() -> None:
        with contextlib.suppress(OSError):
            if os.read(terminal, 1024):
                pressed.set()
                return
        # Ctrl-D, or the terminal has gone.
        loop.remove_reader(terminal)

    async def wait() -> None:
        while True:
            await pressed.wait()
            pressed.clear()
            await act()

    loop.add_reader(terminal, read)
    try:
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(wait())
            yield
            waiting.cancel()
    finally:
        loop.remove_reader(terminal)


async def capture(stream: Stream) -> None:
    """Learn the plate from what the camera shows now, and say what became of it."""
    try:
        await stream.plate.capture()
    except CaptureImpossible as error:
        say(f"plate: {error.detail}")
    except PlateRefused as error:
        say(f"plate: {error.advice}")
    except EngineFailed as error:
        say(f"plate: {error}")


async def finished(relay: Relay, stream: Stream) -> None:
    """Wait for the end, with a line of numbers now and then."""
    while True:
        try:
            async with asyncio.timeout(STATUS):
                await relay.finished.wait()
            return
        except TimeoutError:
            now = stream.stats_event()
            say(
                f"{relay.state}: {now.fps_in:.0f} in, {now.fps_out:.0f} out a second, "
                f"{now.width}x{now.height}, {now.dropped} dropped in all, plate {now.plate.state}"
            )

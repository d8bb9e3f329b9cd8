"""`cleanplate serve`: listen, print where, and close everything at the end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator

from aiohttp import web

from gateway import __version__, settings_sources
from gateway.app import WORKER, create_app
from gateway.backdrops import check_default
from gateway.gallery import built_in
from gateway.matting import Engine
from gateway.owned_tasks import OwnedTasks
from gateway.settings import Settings, SettingsError
from gateway.settings_sources import load
from gateway.settings_table import settings_table
from gateway.worker import Worker
from models.errors import MattingError

OPERATOR_ERROR = 2
INTERRUPTED = 130
"""What shells expect of a program that SIGINT ended."""
PATIENCE = 5.0
"""Seconds that requests in progress get when the server stops."""

MakeEngine = Callable[[Settings], Engine]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All settings, and printing their table."""
    settings_sources.add_arguments(parser)
    parser.add_argument(
        "--print-settings-table",
        action="store_true",
        help="print the README's table of settings and exit",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status."""
    if args.print_settings_table:
        say(settings_table())
        return 0
    try:
        settings = load(config=args.config, environment=os.environ, command_line=vars(args))
        return serve(settings, open_engine)
    except (SettingsError, MattingError) as error:
        return complain(str(error))
    except KeyboardInterrupt:
        # While networks were loading; later, signals stop the server in order.
        return INTERRUPTED


def serve(settings: Settings, make_engine: MakeEngine) -> int:
    """Bind first, so that what the operator can mend is told before networks are loaded."""
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for library in ("aioice", "aiortc"):
        # INFO of these is a line per connectivity check.
        logging.getLogger(library).setLevel(logging.WARNING)
    check_exposure(settings)
    check_default(settings.default_backdrop, built_in())
    context = tls(settings)
    with listen(settings) as listener:
        engine = make_engine(settings)
        try:
            asyncio.run(until_stopped(settings, engine, listener, context))
        finally:
            engine.close()
    return 0


def open_engine(settings: Settings) -> Engine:
    """Load networks; raises `models.errors.MattingError` with what the operator can do."""
    # Takes seconds and imports torch, which `--help` must not wait for.
    from models.engine import open_engine as open_models_engine

    return open_models_engine(settings.weights, settings.device, settings.rate)


async def until_stopped(
    settings: Settings, engine: Engine, listener: socket.socket, context: ssl.SSLContext | None
) -> None:
    """Serve until a signal comes, then close everything."""
    stop, tasks = asyncio.Event(), OwnedTasks()
    loop = asyncio.get_running_loop()
    app = create_app(settings, engine)

    def terminate() -> None:
        # The second one does not wait.
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        tasks.start(drain(app[WORKER], settings.drain_seconds, stop))

    loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.add_signal_handler(signal.SIGTERM, terminate)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        await web.SockSite(runner, listener, ssl_context=context).start()
        greet(settings, engine, listener.getsockname()[1])
        await stop.wait()
        say("Stopping.")
    finally:
        await tasks.close()
        await runner.cleanup()


async def drain(worker: Worker, seconds: float, stop: asyncio.Event) -> None:
    """Let sessions go on for a while, then ask for the end."""
    if seconds:
        say(f"Nobody else is let in; stopping when all have left, in {seconds:g} s at the latest.")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await worker.drain()
    stop.set()


def greet(settings: Settings, engine: Engine, port: int) -> None:
    """Tell the operator where to go and what runs."""
    scheme = "https" if settings.cert else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    runs = engine.describe()
    say(
        f"Cleanplate {__version__}: {scheme}://{host}:{port}/\n"
        f"  device   {runs.device_name} ({runs.device})\n"
        f"  backend  {runs.backend}\n"
        f"  weights  {runs.weights}\n"
        f"  suited   {runs.recommended_width}x{runs.recommended_height} "
        f"at {runs.recommended_fps} frames per second"
    )


def check_exposure(settings: Settings) -> None:
    """Refuse to be open to the network by accident; raises `SettingsError`."""
    if settings.on_loopback or settings.cert or settings.insecure:
        return
    if settings.grants or settings.token_secret:
        return
    raise SettingsError(
        f"{settings.host} can be reached from other machines: set cert and key (browsers give the "
        "camera to HTTPS pages only; cleanplate certificate makes both), or tokens, or say "
        "--insecure if a proxy protects it"
    )


def tls(settings: Settings) -> ssl.SSLContext | None:
    """The TLS side of `cert` and `key`; raises `SettingsError`."""
    if settings.cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.cert, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"cert and key cannot be used: {error}") from error
    return context


@contextlib.contextmanager
def listen(settings: Settings) -> Iterator[socket.socket]:
    """Bind the address; raises `SettingsError`."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server(
            (settings.host, settings.port), family=family, backlog=128, reuse_port=False
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {settings.port} of {settings.host} is in use; stop what uses it or take "
                "another with --port"
            ) from error
        raise SettingsError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        ) from error
    with listener:
        yield listener


def say(text: str) -> None:
    """To standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> int:
    """One line to standard error; returns the exit status."""
    sys.stderr.write(f"cleanplate: {text}\n")
    return OPERATOR_ERROR

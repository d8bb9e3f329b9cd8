"""A real server in its own process, for the time of a measurement."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from gateway.bench.errors import BenchError
from gateway.settings import PREFIX, SettingsError
from gateway.settings_sources import flag_of, load

SERVE: Final = (sys.executable, "-m", "gateway", "serve")
MEDIA_ALONE: Final = (sys.executable, "-m", "gateway.bench.media_alone")
"""The same server around an engine without networks."""

STARTING: Final = 180.0
"""Seconds: loading torch and compiling networks on a busy machine."""
STOPPING: Final = 20.0
GREETING: Final = ("device", "backend", "weights", "suited")
"""Words that `cleanplate serve` begins its lines with."""
KEPT: Final = ("CLEANPLATE_CACHE", "CLEANPLATE_WEIGHTS_FOLDER")
"""Where files are is no setting of the measurement."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    url: str
    pid: int
    runs: dict[str, str]
    """What it said of itself, by `GREETING`."""


def serve_arguments(settings: Sequence[str], streams: int, watchers: int = 0) -> list[str]:
    """`NAME=VALUE`s as options of `serve`, on a free port of loopback; raises `SettingsError`."""
    given = {
        "max_streams": str(2 * streams),
        "max_sessions": str((4 + watchers) * streams),
        "host": "127.0.0.1",
    }
    for each in settings:
        name, equals, value = each.partition("=")
        if not equals:
            raise SettingsError(f"{each!r} is not NAME=VALUE, such as downlink_max=6000")
        given[name.replace("-", "_")] = value
    given["port"] = "0"
    if not load(command_line=given).on_loopback:
        raise SettingsError("a measured server listens on loopback")
    unknown = given.keys() - load().model_dump().keys()
    if unknown:
        raise SettingsError(f"there is no setting {', '.join(sorted(unknown))}")
    options: list[str] = []
    for name, value in given.items():
        if value.lower() in ("true", "false"):
            options += [flag_of(name)] if value.lower() == "true" else []
        else:
            options += [flag_of(name), value]
    return options


@contextmanager
def server(arguments: Sequence[str], command: Sequence[str] = SERVE) -> Iterator[Running]:
    """Start, wait until it answers, and stop it at the end; raises `BenchError` with its log."""
    # Settings of whoever measures would go unseen into the figures.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) or name in KEPT
    }
    with _terminable(), tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            text=True,
            # An interrupt at the terminal is for the parent, which stops it after the cameras.
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            yield _greeted(process, process.stdout, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOPPING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends this process as an interrupt does: no server stays behind with a GPU."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _greeted(process: subprocess.Popen[str], out: IO[str], log: IO[str]) -> Running:
    lines: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in out:
            lines.put(line)
        lines.put("")

    # Reading a pipe knows no deadline. Goes on until the end: an unread pipe stops its writer.
    threading.Thread(target=listen, daemon=True, name="server-output").start()
    end = time.monotonic() + STARTING
    url, runs = "", dict[str, str]()
    while len(runs) < len(GREETING):
        try:
            line = lines.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise BenchError(f"the server did not start within {STARTING:.0f} s") from None
        if not line:
            process.wait()
            log.seek(0)
            said = log.read().strip().splitlines()
            raise BenchError("the server did not start: " + (said[-1] if said else "no word of it"))
        word, _, rest = line.strip().partition(" ")
        if word == "Cleanplate":
            url = rest.rpartition(": ")[2].rstrip("/")
        elif word in GREETING:
            runs[word] = rest.strip()
    return Running(url, process.pid, runs)

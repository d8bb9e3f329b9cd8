"""The start and the end of a command that an operator attends at a terminal, whatever it does."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.backdrops import check_default
from gateway.gallery import built_in
from gateway.matting import Engine
from gateway.relays.leg import Hopeless
from gateway.serve import INTERRUPTED, MakeEngine, check_exposure, complain, listen, tls
from gateway.settings import Settings, SettingsError
from gateway.settings_sources import load
from models.errors import MattingError


class BadOrder(Exception):
    """The operator's: one line that says which option and what to do."""


@dataclass(frozen=True, slots=True)
class Door:
    """A port for people who want to set the plate or to watch."""

    listener: socket.socket
    context: ssl.SSLContext | None


Work: TypeAlias = Callable[[Settings, Engine, Door | None], Coroutine[Any, Any, None]]
"""What the command does, until it is stopped; raises `Hopeless` or `BadOrder`."""


def attend(args: argparse.Namespace, make_engine: MakeEngine, order: Callable[[], Work]) -> int:
    """Read the order, load networks, work; returns the exit status.

    What the operator can mend is told in one line, most of it before networks are loaded.
    """
    try:
        settings = load(config=args.config, environment=os.environ, command_line=vars(args))
        # What INFO would say is said on standard output already.
        level = "WARNING" if settings.log_level == "info" else settings.log_level.upper()
        handler = logging.StreamHandler()
        if settings.log_level == "info":
            handler.addFilter(untold)
        style = "%(asctime)s %(levelname)s %(name)s: %(message)s"
        logging.basicConfig(level=level, format=style, handlers=[handler])
        check_default(settings.default_backdrop, built_in())
        work = order()
        with contextlib.ExitStack() as stack:
            door = open_door(settings, stack) if args.serve else None
            engine = make_engine(settings)
            stack.callback(engine.close)
            asyncio.run(work(settings, engine, door))
        return 0
    except (SettingsError, MattingError, BadOrder, Hopeless) as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def untold(record: logging.LogRecord) -> bool:
    """Whether a record says more than the notice that whoever attends a stream prints anyway."""
    return not getattr(record, "told", False)


def open_door(settings: Settings, stack: contextlib.ExitStack) -> Door:
    """Bind the gateway's port; raises `SettingsError`."""
    check_exposure(settings)
    context = tls(settings)
    return Door(stack.enter_context(listen(settings)), context)

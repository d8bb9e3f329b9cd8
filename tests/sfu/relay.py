"""`cleanplate relay` as an operator runs it between two URLs of somebody else's servers."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.browser.server import START_SECONDS
from tests.sfu.film import HILLS
from tests.sfu.program import Program, running


@contextlib.asynccontextmanager
async def relay(
    source: str, sink: str, folder: Path, *, sink_token: str | None = None
) -> AsyncIterator[Program]:
    """It pulls and pushes, and learns the plate from the first empty seconds."""
    command = [
        *(sys.executable, "-m", "gateway", "relay", "--from", source, "--to", sink),
        *("--plate", "first", "--backdrop", HILLS.id),
    ]
    token = {"CLEANPLATE_TO_TOKEN": sink_token} if sink_token else {}
    async with running("relay", command, folder, environment=token) as program:
        yield program


async def learns_the_plate(program: Program) -> None:
    """Wait until the empty room is known."""
    await program.until_said("plate: ready", START_SECONDS)

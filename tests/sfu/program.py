"""A server of somebody else, as a process that is ours to stop."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import aiohttp

START_SECONDS = 60
STOP_SECONDS = 10
TAIL = 60
"""Lines of its log that a failing test shows."""


class Program:
    """It runs; `log` is what it has said."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, path: Path) -> None:
        self.name = name
        self.process = process
        self._path = path

    def log(self) -> str:
        """What it has said so far."""
        return self._path.read_text(errors="replace")

    async def until_ready(self, url: str) -> None:
        """Wait until `url` is answered at all; raises when the process ends or nothing comes."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            for _ in range(START_SECONDS * 5):
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(url):
                        return
                await self.pause()
        raise AssertionError(f"{self.name} did not answer at {url} within {START_SECONDS} s")

    async def until_said(self, text: str, seconds: float = START_SECONDS) -> None:
        """Wait until its log holds `text`."""
        for _ in range(int(seconds * 5)):
            if text in self.log():
                return
            await self.pause()
        raise AssertionError(f"{self.name} did not say {text!r} within {seconds:.0f} s")

    async def pause(self) -> None:
        """A fifth of a second, or less if it ends meanwhile, which is an error."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await self.process.wait()
            raise AssertionError(f"{self.name} ended (exit {self.process.returncode})")


@cache
def node() -> str:
    """Node's own binary: the one of a Python package is a script that starts another process, which
    would outlive it."""
    asked = subprocess.run(
        ["node", "-p", "process.execPath"], check=True, capture_output=True, text=True
    )
    return asked.stdout.strip()


@contextlib.asynccontextmanager
async def running(
    name: str,
    command: Sequence[str | Path],
    folder: Path,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Program]:
    """Start it with its log in `folder`, stop it by its own id; a failure inside shows its log."""
    path = folder / f"{name}.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=cwd,
            env=os.environ | dict(environment or {}),
        )
    program = Program(name, process, path)
    try:
        yield program
    except BaseException as error:
        error.add_note("\n".join([f"{name} said:", *program.log().splitlines()[-TAIL:]]))
        raise
    finally:
        if process.returncode is None:
            process.terminate()
            await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """Wait for one that was told to end; kill it if it does not."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

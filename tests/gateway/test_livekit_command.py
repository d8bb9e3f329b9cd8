"""`cleanplate livekit` as an operator runs it."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from gateway.attendance import BadOrder
from gateway.matting import ScriptedEngine
from gateway.rooms.livekit_command import MISSING, add_arguments, livekit
from gateway.rooms.livekit_link import Join
from tests.gateway.grey_camera import BLACK
from tests.gateway.livekit_server import livekit_server
from tests.gateway.loopback import until

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds, as it is a program that starts."""
ENDING = """
import atexit, sys
import livekit.rtc
from gateway.rooms.livekit_command import ended
atexit.register(lambda: sys.stderr.write("came as far as Python's own end"))
"""


async def test_it_shows_composites_and_says_goodbye_when_it_is_stopped():
    async with livekit_server() as server:
        await server.arrive("ada", "Ada", "camera")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.gateway.scripted_livekit_command"),
            *("--url", server.url, "--backdrop", "#000000"),
            cwd=ROOT,
            env={**os.environ, "CLEANPLATE_LIVEKIT_TOKEN": "from the environment"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            await until(lambda: server.shown and server.shown[0].corners, PATIENCE, "a composite")
            assert server.tokens == ["from the environment"]
            (visit,), (shown,) = server.visits, server.shown
            process.send_signal(signal.SIGTERM)
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        assert visit.asked("leave")
        assert process.returncode == 0
        assert b"Ada: shown as Ada (Cleanplate)" in said
        assert all(abs(each - BLACK) < 12 for each in shown.corners)


def status(*arguments: str) -> int:
    """Of the command, which is not to come as far as a room."""

    def missing() -> Join:
        raise BadOrder(MISSING)

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return livekit(parser.parse_args(arguments), lambda _: ScriptedEngine(), missing)


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--url", "http://127.0.0.1"), "--url takes ws://HOST:PORT or wss://HOST"),
        (("--url", "ws://127.0.0.1:1"), "set CLEANPLATE_LIVEKIT_TOKEN, or --token"),
        (("--url", "ws://127.0.0.1:1", "--token", "t"), "pip install 'livekit>=1.2'"),
    ],
)
def test_what_the_operator_can_mend_is_told_in_a_line(
    arguments: tuple[str, ...],
    advice: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.delenv("CLEANPLATE_LIVEKIT_TOKEN", raising=False)
    assert status(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert advice in line


async def last_of(work: str, **streams: int) -> tuple[int, bytes]:
    """Status and complaint of a program that has LiveKit's client loaded and ends with `work`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"{ENDING}sys.exit(ended(lambda: {work}))"),
        cwd=ROOT,
        # So that what is printed waits to be flushed.
        env={**os.environ, "PYTHONUNBUFFERED": ""},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        **streams,
    )
    _, complaint = await process.communicate()
    assert process.returncode is not None
    return process.returncode, complaint


async def test_a_failure_ends_the_program_at_once_too_and_is_told():
    status, complaint = await last_of("1 // 0")
    assert status == 1
    assert complaint.rstrip().endswith(b"ZeroDivisionError: integer division or modulo by zero")


async def test_nobody_who_reads_is_no_reason_to_stay():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert await last_of("print('Goodbye.') or 3", stdout=writing) == (3, b"")
    finally:
        os.close(writing)

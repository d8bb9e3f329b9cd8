"""Whoever gives up a measurement leaves nothing behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def command(pid: int | str) -> str:
    """How a process was called; nothing once it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def children(pid: int) -> list[int]:
    """A process's children."""
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("spawn_main", signal.SIGINT),
        ("media_alone", signal.SIGINT),
        ("media_alone", signal.SIGTERM),
    ],
)
def test_a_signal_ends_cameras_and_server(moment: str, number: signal.Signals):
    arguments = ["--media-alone", "--size", "160x90", "--fps", "10", "--direct", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "bench", "stream", *arguments, "--seconds", "600"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # As at a terminal: a process group of its own, which an interrupt reaches as a whole.
        start_new_session=True,
        # What runs in the background of a script ignores interrupts, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        seen: list[int] = []
        while not any(moment in command(pid) for pid in seen):
            with contextlib.suppress(subprocess.TimeoutExpired):
                assert process.wait(0.1) is None, process.communicate()[1]
            seen = children(process.pid)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        errors = process.communicate(timeout=60)[1]
        assert process.returncode == 130, errors
        assert "Traceback" not in errors
    # Python's own tracker of resources notices a moment later that nobody needs it any more.
    patience = time.monotonic() + 30
    while left := [command(pid) for pid in seen if command(pid)]:
        assert time.monotonic() < patience, left
        time.sleep(0.05)


def test_a_server_without_networks_serves_this_machine_alone():
    asked = [sys.executable, "-m", "gateway.bench.media_alone", "--host", "0.0.0.0", "--insecure"]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 2
    assert "leave --host away" in answer.stderr

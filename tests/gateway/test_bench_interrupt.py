"""Whoever gives up a measurement leaves nothing behind."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def children(pid: int) -> dict[int, str]:
    """A process's children and how they were called."""
    found: dict[int, str] = {}
    with contextlib.suppress(OSError):
        for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found[int(word)] = Path(f"/proc/{word}/cmdline").read_text().replace("\0", " ")
    return found


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
    ) as process:
        seen: dict[int, str] = {}
        while not any(moment in command for command in seen.values()):
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
    left = [pid for pid in seen if Path(f"/proc/{pid}").exists() and "tracker" not in seen[pid]]
    assert left == []

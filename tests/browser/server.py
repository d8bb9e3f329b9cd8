"""`cleanplate serve` as an operator runs it: its own process, on a port that restarts keep."""

import contextlib
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 120
"""Loading torch and compiling the network takes long on a busy machine with two cores."""


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A gateway on 127.0.0.1; `start` again after `kill` is a restart on the same port."""

    def __init__(
        self, log: Path, *arguments: str, module: tuple[str, ...] = ("gateway", "serve")
    ) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._command = [
            *(sys.executable, "-m", *module),
            *("--host", "127.0.0.1", "--port", str(port), *arguments),
        ]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and return when it is ready to matte; raises with its log when it is not."""
        # As on a fresh machine: settings of whoever runs the tests do not reach it.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CLEANPLATE_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=environment)
        # Waits on the process, so that one that dies at once is noticed at once.
        for _ in range(START_SECONDS * 5):
            if self._ready():
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)
                break
        code = self._process.poll()
        self.kill()
        raise AssertionError(f"the gateway did not get ready (exit {code}):\n{self.log()}")

    def kill(self) -> None:
        """End it as a crash or a power cut would: without a word to the browser."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        """What it has said so far, over all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as response:
                return bool(response.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except OSError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

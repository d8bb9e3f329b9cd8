"""coturn: a TURN server, for who can reach the gateway by a relay only."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.sfu.private_network import ADDRESS
from tests.sfu.program import Program, running

URL = f"turn:{ADDRESS}:3478?transport=udp"
USER = "visitor"
PASSWORD = "a-password-of-the-test"


@contextlib.asynccontextmanager
async def turn(folder: Path) -> AsyncIterator[Program]:
    """The server; its log names every allocation and how much went through it."""
    command = [
        *("turnserver", "-n", f"--listening-ip={ADDRESS}", f"--relay-ip={ADDRESS}"),
        *("--listening-port=3478", f"--user={USER}:{PASSWORD}", "--realm=cleanplate.test"),
        *("--lt-cred-mech", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers"),
        *("--log-file=stdout", "--verbose", f"--pidfile={folder / 'turnserver.pid'}"),
        f"--userdb={folder / 'turndb'}",
    ]
    async with running("turnserver", command, folder) as program:
        await program.until_said("IPv4. UDP listener opened on")
        yield program

"""The process: what it prints, how it ends, what it refuses."""

import asyncio
import contextlib
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from gateway.certificate_command import read_host, write
from gateway.serve import check_exposure, listen, tls
from gateway.settings import Settings, SettingsError
from tests.gateway.loopback import Client

COMMAND = [sys.executable, "-m", "tests.gateway.scripted_server"]
ROOT = Path(__file__).parents[2]


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    greeting = [process.stdout.readline() for _ in range(5)]
    assert any("scripted" in line for line in greeting), greeting
    return process, greeting[0].split(": ", 1)[-1].strip()


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, errors = process.communicate(timeout=20)
    return process.returncode, out, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_ends_cleanly_on_a_signal(number: signal.Signals):
    process, url = start()
    with urllib.request.urlopen(f"{url}healthz", timeout=10) as response:
        assert response.status == 200
    process.send_signal(number)
    status, out, errors = finish(process)
    assert status == 0, errors
    assert "Stopping" in out
    assert "Traceback" not in errors


@contextlib.asynccontextmanager
async def draining() -> AsyncIterator[tuple[subprocess.Popen[str], Client, Client]]:
    """A server that was told to end while a client publishes; and another client."""
    process, url = await asyncio.to_thread(start, "--drain-seconds", "3600")
    try:
        async with aiohttp.ClientSession(url) as http:
            client, other = Client(http), Client(http)
            try:
                await client.publish("/whip/desk")
                await client.video(1)
                process.send_signal(signal.SIGTERM)
                assert process.stdout
                line = await asyncio.to_thread(process.stdout.readline)
                assert "Nobody else is let in" in line
                yield process, client, other
            finally:
                await client.close()
                await other.close()
    finally:
        if process.poll() is None:
            process.kill()
            await asyncio.to_thread(finish, process)


async def test_on_sigterm_those_who_are_there_may_stay_and_nobody_else_comes():
    async with draining() as (process, client, other):
        assert (await client.http.get("/readyz")).status == 503
        refused = await other.send("/whip/door", await other.offer_publishing())
        assert refused.status == 503
        await client.video(2)
        assert (await client.http.delete(client.location)).status == 200
        status, out, errors = await asyncio.to_thread(finish, process)
        assert status == 0, errors
        assert "Stopping" in out


async def test_a_second_sigterm_does_not_wait():
    async with draining() as (process, _, _):
        process.send_signal(signal.SIGTERM)
        status, _, errors = await asyncio.to_thread(finish, process)
        assert status == 0, errors


def test_a_mistyped_default_backdrop_is_one_line_and_status_2():
    done = subprocess.run(
        [*COMMAND, "--port", "0", "--default-backdrop", "nowhere"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_port_is_one_line_and_status_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--port", str(port)], cwd=ROOT, capture_output=True, text=True, timeout=20
        )
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr
    assert done.stderr.count("\n") == 1


def certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    write([read_host("127.0.0.1")], cert, key)
    return cert, key


def test_it_speaks_tls_with_a_certificate(tmp_path: Path):
    cert, key = certificate(tmp_path)
    process, url = start("--cert", str(cert), "--key", str(key))
    assert url.startswith("https://")
    trusting = ssl.create_default_context(cafile=cert)
    with urllib.request.urlopen(f"{url}healthz", timeout=10, context=trusting) as response:
        assert response.status == 200
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0


def test_a_certificate_that_cannot_be_read_is_the_operators_to_mend(tmp_path: Path):
    (tmp_path / "cert.pem").write_text("nonsense")
    with pytest.raises(SettingsError, match="cert and key"):
        tls(Settings(cert=tmp_path / "cert.pem", key=tmp_path / "absent.pem"))


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "127.0.0.1"},
        {"host": "::1"},
        {"host": "0.0.0.0", "insecure": True},
        {"host": "0.0.0.0", "tokens": ("correct-horse-battery",)},
        {"host": "0.0.0.0", "cert": Path("c"), "key": Path("k")},
        {"host": "0.0.0.0", "token_secret": "correct-horse-battery-staple-and-more"},
    ],
)
def test_addresses_that_are_private_or_protected_are_served(settings: dict[str, object]):
    check_exposure(Settings(**settings))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_being_open_to_the_network_by_accident_is_refused(host: str):
    with pytest.raises(SettingsError, match="--insecure"):
        check_exposure(Settings(host=host))


def test_an_address_of_another_machine_cannot_be_listened_on():
    with (
        pytest.raises(SettingsError, match="cannot listen"),
        listen(Settings(host="203.0.113.1", port=0)),
    ):
        pass

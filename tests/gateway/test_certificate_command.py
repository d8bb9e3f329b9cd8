import asyncio
import hashlib
import ssl
import stat
from pathlib import Path

import pytest

from gateway.__main__ import main
from gateway.serve import tls
from gateway.settings import Settings


async def shown(folder: Path, host: str) -> None:
    """Connect with a server that has the certificate, as a browser that trusts it does."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    context = tls(Settings(cert=folder / "cert.pem", key=folder / "key.pem"))
    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        trusting = ssl.create_default_context(cafile=folder / "cert.pem")
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trusting, server_hostname=host
        )
        try:
            await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


async def test_who_trusts_the_certificate_reaches_the_server_under_each_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["certificate", "192.168.1.5", "studio.lan", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert f"--cert {tmp_path}/cert.pem --key {tmp_path}/key.pem" in printed
    for host in ("192.168.1.5", "studio.lan"):
        await shown(tmp_path, host)
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        await shown(tmp_path, "other.lan")
    made = ssl.PEM_cert_to_DER_cert((tmp_path / "cert.pem").read_text())
    assert hashlib.sha256(made).hexdigest().upper() in printed.replace(":", "")


def test_the_key_is_for_its_owner_alone(tmp_path: Path):
    assert main(["certificate", "localhost", "--out", str(tmp_path)]) == 0
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["key.pem", "cert.pem"])
def test_what_is_in_use_is_never_overwritten(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / name).write_text("precious")
    assert main(["certificate", "localhost", "--out", str(tmp_path)]) == 2
    assert f"{name} is there already" in capsys.readouterr().err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("host", ["", "a b", "https://example.org", "é.lan", "..", "-"])
def test_what_is_no_host_is_refused(host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["certificate", "--out", str(tmp_path), "--", host]) == 2
    assert "neither a name nor an address" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["certificate", "localhost", "--out", str(tmp_path / "absent")]) == 2
    assert capsys.readouterr().err.count("\n") == 1

"""`cleanplate certificate`: one that the server signs itself, for a network without an authority.

Browsers give the camera to HTTPS pages only. They warn of such a certificate, once, and whoever
accepts it should compare its fingerprint with the one that is printed here.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.serve import complain, say

DAYS: Final = 397
"""Of validity; more is refused by some browsers."""
SERVES: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom, and where to."""
    parser.add_argument(
        "hosts",
        nargs="+",
        metavar="HOST",
        help="name or address under which browsers will reach the server, such as 192.168.1.5",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="where cert.pem and key.pem are written; default: here",
    )


def run(args: argparse.Namespace) -> int:
    """Write both files and say how to use them; returns the exit status."""
    cert, key = args.out / "cert.pem", args.out / "key.pem"
    try:
        names = [read_host(host) for host in args.hosts]
        fingerprint = write(names, cert, key)
    except ValueError as error:
        return complain(str(error))
    except FileExistsError as error:
        return complain(f"{error.filename} is there already; move it away, or use another --out")
    except OSError as error:
        return complain(f"cannot write to {args.out}: {error.strerror}")
    files = f"--cert {shlex.quote(str(cert))} --key {shlex.quote(str(key))}"
    say(f"cleanplate serve --host 0.0.0.0 {files}\n\nSHA-256 {fingerprint}, {DAYS} days")
    return 0


def read_host(text: str) -> x509.GeneralName:
    """An address or a name; raises `ValueError` for what is neither."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    labels = text.split(".")
    if not all(label.replace("-", "").isalnum() and label.isascii() for label in labels):
        raise ValueError(f"{text!r} is neither a name nor an address, such as 192.168.1.5")
    return x509.DNSName(text)


def write(hosts: list[x509.GeneralName], cert: Path, key: Path) -> str:
    """Make both files, the key for its owner alone; returns the certificate's fingerprint.

    Raises `OSError`; neither file may exist.
    """
    for path in (cert, key):
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cleanplate")])
    # Clocks in the network may be behind.
    now = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(SERVES, critical=False)
        .sign(secret, hashes.SHA256())
    )
    private = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    create(key, private, mode=0o600)
    create(cert, made.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return made.fingerprint(hashes.SHA256()).hex(":").upper()


def create(path: Path, data: bytes, *, mode: int) -> None:
    """Write a new file that nobody ever could read with another mode; raises `OSError`."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)

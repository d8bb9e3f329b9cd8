"""Where Chromium is; run as a program, it installs one where there is none and prints its path.

The order: what `CHROMIUM` names, what the machine has, what Playwright fetched before; then, to
install, Debian's package as root, else Playwright's own download. There is no way to go on
without one: the browser tests are not skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

ADVICE = """\
The browser tests need Chromium, and it could not be installed here. Do one of:
  apt-get install chromium                      (as root, on Debian)
  .venv/bin/python -m playwright install --with-deps chromium
  CHROMIUM=/path/to/chrome make test
"""


class ChromiumMissing(Exception):
    """There is no Chromium that starts; the message says what to do."""


def starts(path: str | Path) -> bool:
    """Whether this is a browser and not, say, Ubuntu's stub that asks for a snap."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def fetched() -> Path:
    """Where Playwright keeps its own download, whether it is there or not."""
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def find() -> Path:
    """The Chromium to test with; raises `ChromiumMissing`."""
    if named := os.environ.get("CHROMIUM"):
        if starts(named):
            return Path(named)
        raise ChromiumMissing(f"CHROMIUM={named} does not start.")
    for name in NAMES:
        path = shutil.which(name)
        if path and starts(path):
            return Path(path)
    own = fetched()
    if own.exists() and starts(own):
        return own
    raise ChromiumMissing(ADVICE)


def install() -> None:
    """Install Chromium with what this machine offers; what the installers say goes to stderr."""
    root, debian = os.geteuid() == 0, Path("/etc/debian_version").exists()
    attempts: list[list[list[str]]] = []
    if root and debian and shutil.which("apt-get"):
        # Without fonts the screenshot would show boxes for letters.
        packages = ["chromium", "fonts-liberation"]
        attempts.append(
            [
                ["apt-get", "update", "-qq"],
                ["apt-get", "install", "-qq", "--no-install-recommends", *packages],
            ]
        )
    fetch = [sys.executable, "-m", "playwright", "install", "chromium"]
    attempts.append([[*fetch, "--with-deps"] if root and debian else fetch])
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for commands in attempts:
        for command in commands:
            done = subprocess.run(command, stdout=sys.stderr, env=environment)
            if done.returncode != 0:
                break
        try:
            find()
        except ChromiumMissing:
            continue
        return


def main() -> int:
    """Print the path of a Chromium that starts, installing it if need be."""
    try:
        try:
            path = find()
        except ChromiumMissing:
            print("Installing Chromium for the browser tests.", file=sys.stderr)
            install()
            path = find()
    except ChromiumMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

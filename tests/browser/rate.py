"""How many composites a second a browser gets: `make rate`.

The gateway and a headless Chromium share the machine, as they do for somebody who tries it on a
laptop; Chromium decodes, encodes and paints without a GPU. What is printed is the page's own
statistics line, once a second with the person in the picture.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import chromium
from tests.browser.camera_clip import CameraClip
from tests.browser.server import Server
from tests.browser.visitor import HILLS, Visitor


def measure(width: int, height: int, seconds: int) -> dict[str, object]:
    """Capture, choose a backdrop, and read the statistics for `seconds`."""
    clip = CameraClip(width, height, fps=30)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        film = clip.write(Path(folder) / "webcam.y4m")
        server = stack.enter_context(Server(Path(folder) / "log"))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=chromium.find(),
            args=[
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
                "--allow-loopback-in-peer-connection",
                "--disable-gpu",
            ],
        )
        stack.callback(browser.close)
        context = browser.new_context(permissions=["camera"])
        page = context.new_page()
        page.goto(server.url)
        visitor = Visitor(page, clip)
        visitor.start()
        # More than it can do: what comes out is then what it can.
        visitor.part("frame-rate").select_option("30")
        visitor.choose(HILLS.id)
        visitor.capture_background()
        visitor.sees_the_plate_is_ready()
        visitor.until(visitor.composite, visitor.is_standing, "the person to stand there")
        rows = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            page.wait_for_timeout(1000)
            rows.append(
                {name: visitor.number(name) for name in ("fps-in", "fps-out", "latency-ms", "ms")}
            )
    summary = {name: round(statistics.median(row[name] for row in rows), 1) for name in rows[0]}
    return {
        "size": f"{width}x{height}",
        **summary,
        "lowest fps-out": min(row["fps-out"] for row in rows),
        "seconds": seconds,
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "date": datetime.now(UTC).date().isoformat(),
    }


def main() -> None:
    """Print the measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    found = measure(arguments.width, arguments.height, arguments.seconds)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

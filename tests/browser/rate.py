"""How many composites a second a browser gets: `make rate`.

The gateway and a headless Chromium share the machine, as they do for somebody who tries it on a
laptop; Chromium decodes, encodes and paints without a GPU. What is printed is the page's own
statistics line, once a second with the person in the picture.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from datetime import UTC, datetime

from tests.browser.camera_clip import CameraClip
from tests.browser.captured import captured


def measure(width: int, height: int, seconds: int) -> dict[str, object]:
    """Capture, choose a backdrop, and read the statistics for `seconds`."""
    # More frames than it can do: what comes out is then what it can.
    with captured(CameraClip(width, height, fps=30, present=16)) as here:
        visitor = here.visitor
        visitor.until(visitor.composite, visitor.is_standing, "the person to stand there")
        rows = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            visitor.page.wait_for_timeout(1000)
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

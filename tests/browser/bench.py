"""What a real browser gets at 60 frames per second: `make bench-browser`.

The same figures as `cleanplate bench stream`, with Chromium's fake camera and its own encoder,
jitter buffer and decoder. Numbers are read in the page, from the camera's preview at the moment of
capture and from the composite when it is handed to the screen. Chromium paints and codes without a
GPU, on the machine that the gateway runs on.
"""

import argparse
import json
import sys
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from gateway.bench.figures import Latency
from gateway.bench.machine import machine, now, versions
from gateway.bench.usage import Usage, cores, usage
from tests.browser.captured import Captured, captured
from tests.browser.numbered_clip import READER, NumberedClip, inbound_outbound, latencies, rate

HOOK = (
    """
globalThis.peers = [];
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) { super(...options); globalThis.peers.push(this); }
};
"""
    + READER
    + "globalThis.watchCard = watchCard;"
)
WATCH = """() => {
    const part = name => document.querySelector(`[data-testid=${name}]`);
    globalThis.sights = {
        source: watchCard(part("source-video"), "captureTime"),
        composite: watchCard(part("composite-video"), "presentationTime"),
    };
}"""
READABLE = "() => globalThis.sights.composite.some(([number]) => number >= 0)"
TAKE = """() => {
    const { source, composite } = globalThis.sights;
    return { source: source.splice(0), composite: composite.splice(0) };
}"""
STATS = """async () => {
    const peer = globalThis.peers.findLast(each => each.connectionState === "connected");
    return [...(await peer.getStats()).values()];
}"""


def measure(
    clip: NumberedClip,
    seconds: int,
    *arguments: str,
    module: tuple[str, ...] = ("gateway", "serve"),
) -> dict[str, object]:
    """Watch camera and composite for `seconds`."""
    with captured(clip, *arguments, frame_rate=clip.fps, script=HOOK, module=module) as here:
        page = here.visitor.page
        with urllib.request.urlopen(f"{here.server.url}/capabilities", timeout=10) as response:
            runs = json.load(response)
        browser = page.context.browser
        page.evaluate(WATCH)
        page.wait_for_function(READABLE, timeout=1000 * here.visitor.patience)
        page.evaluate(TAKE)
        sights: dict[str, list[tuple[int, float]]] = {"source": [], "composite": []}
        before, used = inbound_outbound(page.evaluate(STATS)), [_used(here)]
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            page.wait_for_timeout(1000)
            for name, new in page.evaluate(TAKE).items():
                sights[name] += [(number, at) for number, at in new]
            used.append(_used(here))
        after, took = inbound_outbound(page.evaluate(STATS)), time.monotonic() - began
        numbers = {name: here.visitor.number(name) for name in ("latency-ms", "ms", "dropped")}
    found = latencies(sights["source"], sights["composite"], 1000 * clip.frames / clip.fps)
    latency = Latency.of(found)
    outbound, inbound = "outbound-rtp", "inbound-rtp"
    return {
        "machine": machine(),
        "date": now(),
        "versions": {**versions(), "chromium": browser.version if browser else None},
        "server_runs": {name: runs[name] for name in ("device_name", "backend", "weights")},
        "size": f"{clip.width}x{clip.height}",
        "camera_fps": clip.fps,
        "seconds": round(took, 1),
        "captured_fps": round(rate(sights["source"]), 1),
        "sent_fps": _per_second(before, after, outbound, "framesEncoded", took),
        "decoded_fps": _per_second(before, after, inbound, "framesDecoded", took),
        "shown_fps": round(rate(sights["composite"]), 1),
        "latency_ms": latency and {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99},
        "matched": len(found),
        "without_number": sum(number < 0 for number, _ in sights["composite"]),
        "up_kbit": _per_second(before, after, outbound, "bytesSent", took, 1 / 125),
        "down_kbit": _per_second(before, after, inbound, "bytesReceived", took, 1 / 125),
        "sent_width": after[outbound].get("frameWidth"),
        "limited_by": after[outbound].get("qualityLimitationReason"),
        "dropped_by_browser": _grown(before, after, inbound, "framesDropped"),
        "freezes": _grown(before, after, inbound, "freezeCount"),
        "server": {name: _number(value) for name, value in numbers.items()},
        "server_cores": cores(used) and round(cores(used) or 0, 2),
        "server_mib": round(max(each.resident_mib for each in used)),
    }


Stats = Mapping[str, Mapping[str, Any]]


def _used(here: Captured) -> Usage:
    found = usage([here.server.pid])
    assert found is not None, "the server has died"
    return found


def _grown(before: Stats, after: Stats, kind: str, name: str) -> float:
    return float(after[kind].get(name, 0)) - float(before[kind].get(name, 0))


def _per_second(
    before: Stats, after: Stats, kind: str, name: str, seconds: float, unit: float = 1.0
) -> float:
    return round(_grown(before, after, kind, name) * unit / seconds, 1)


def _number(value: float) -> float | None:
    return None if value != value else value


def main() -> None:
    """Print the measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--fps", type=int, default=60, choices=[30, 60])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--media-alone", action="store_true", help="without networks")
    parser.add_argument("serve", nargs="*", help="after --: options of `cleanplate serve`")
    arguments = parser.parse_args()
    clip = NumberedClip(arguments.width, arguments.height, arguments.fps, empty=12, present=14)
    module = ("gateway.bench.media_alone",) if arguments.media_alone else ("gateway", "serve")
    found = measure(clip, arguments.seconds, *arguments.serve, module=module)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""How far apart a real Chromium plays sound and picture that come back to it.

By its own account: what was captured, as the sender's reports say, of what is on the screen and in
the loudspeaker right now. Without reports that it understands it says nothing.

    python -m tests.browser.lip_sync --seconds 30
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Page, async_playwright

from gateway.matting import ScriptedEngine
from tests.browser import chromium
from tests.gateway.loopback import running

CALL = """async ({samples, pause, direct}) => {
    const raw = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
    const camera = await navigator.mediaDevices.getUserMedia(
        {video: {width: 320, height: 180, frameRate: 15}, audio: raw});
    const caller = new RTCPeerConnection();
    caller.createDataChannel("cleanplate");  // so that the composite comes back
    for (const track of camera.getTracks())
        caller.addTransceiver(track, {direction: "sendrecv", streams: [camera]});
    const peer = direct ? new RTCPeerConnection() : caller;
    peer.ontrack = ({track, streams}) => {
        // What is not played is not timed.
        const element = document.createElement(track.kind);
        element.srcObject = streams[0];
        document.body.append(element);
        element.play();
    };
    await caller.setLocalDescription(await caller.createOffer());
    if (direct) {
        caller.onicecandidate = ({candidate}) => peer.addIceCandidate(candidate);
        peer.onicecandidate = ({candidate}) => caller.addIceCandidate(candidate);
        await peer.setRemoteDescription(caller.localDescription);
        await peer.setLocalDescription(await peer.createAnswer());
        await caller.setRemoteDescription(peer.localDescription);
    } else {
        const response = await fetch("/whip", {
            method: "POST", body: caller.localDescription.sdp,
            headers: {"Content-Type": "application/sdp"}});
        await caller.setRemoteDescription({type: "answer", sdp: await response.text()});
    }
    const apart = [];
    for (;;) {
        await new Promise(resolve => setTimeout(resolve, pause));
        const got = {};
        for (const each of (await peer.getStats()).values())
            if (each.type === "inbound-rtp") got[each.kind] = {...each};
        const sound = got.audio?.estimatedPlayoutTimestamp;
        const picture = got.video?.estimatedPlayoutTimestamp;
        if (sound && picture) apart.push(picture - sound);
        if (apart.length >= samples || peer.connectionState === "failed") {
            caller.close();
            peer.close();
            return {apart, sound: got.audio, picture: got.video};
        }
    }
}"""


@dataclass(frozen=True)
class Played:
    """What Chromium says of a call with itself through the gateway."""

    apart: list[float]
    """Milliseconds that the sound was captured before the picture that is seen with it."""
    sound: dict[str, Any]
    picture: dict[str, Any]
    """Its counters at the end (W3C, webrtc-stats: inbound-rtp)."""


@contextlib.asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Page]:
    """A page of the gateway's origin, in a Chromium that has a camera and a beeping microphone."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=chromium.find(),
            args=[
                "--use-fake-device-for-media-stream",
                "--allow-loopback-in-peer-connection",
                "--autoplay-policy=no-user-gesture-required",
                "--disable-gpu",
            ],
        )
        try:
            context = await launched.new_context(permissions=["camera", "microphone"])
            page = await context.new_page()
            await page.goto(url)
            yield page
        finally:
            await launched.close()


async def played(
    folder: Path,
    samples: int,
    *,
    pause: float = 0.2,
    matting: float = 0.05,
    direct: bool = False,
) -> Played:
    """Call until sound and picture were compared so often, `pause` seconds apart.

    `matting` is what every frame takes, in seconds; a `direct` call goes around the gateway.
    """
    engine = ScriptedEngine(delay=matting)
    async with (
        running(folder, engine, host="127.0.0.1") as gateway,
        visitor(str(gateway.server.make_url("/healthz"))) as page,
    ):
        options = {"samples": samples, "pause": 1000 * pause, "direct": direct}
        return Played(**await page.evaluate(CALL, options))


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--matting", type=float, default=50.0, metavar="MS")
    args = parser.parse_args()
    samples = round(args.seconds / 0.2)
    with tempfile.TemporaryDirectory() as folder:
        direct = asyncio.run(played(Path(folder), samples, direct=True))
        found = asyncio.run(played(Path(folder), samples, matting=args.matting / 1000))
    sys.stdout.write(f"directly           {told(direct)}\nthrough a gateway  {told(found)}\n")


def told(found: Played) -> str:
    """One line for people."""
    apart = np.array(found.apart)
    concealed = found.sound["concealedSamples"] / found.sound["totalSamplesReceived"]
    return (
        f"sound is played {np.median(apart):+.0f} ms after its picture (median of {apart.size}), "
        f"95 % within {np.percentile(np.abs(apart), 95):.0f} ms of it; {concealed:.1%} of it were "
        "made up for packets that came too late or not at all"
    )


if __name__ == "__main__":
    main()

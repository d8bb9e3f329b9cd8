"""Firefox without a display, with a profile of its own."""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

from tests.sfu.program import running
from tests.sfu.window import Window, window

PREFERENCES = {
    "media.autoplay.default": 0,
    "media.navigator.permission.disabled": True,  # else it asks for the camera in a dialog
    "media.peerconnection.ice.obfuscate_host_addresses": False,  # else candidates are .local names
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "browser.safebrowsing.update.enabled": False,
}
LISTENING = "WebDriver BiDi listening on "


@contextlib.asynccontextmanager
async def firefox(folder: Path) -> AsyncIterator[Window]:
    """Its window, until the end of the block."""
    profile = folder / "profile"
    profile.mkdir()
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    command = [
        *("firefox-esr", "--headless", "--no-remote", "--profile", profile),
        *("--remote-debugging-port", "0"),
    ]
    # As root, in a container, its own walls around content cannot be built.
    environment = {"HOME": str(profile), "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
    async with running("firefox", command, folder, environment=environment) as program:
        await program.until_said(LISTENING)
        [address] = re.findall(f"{LISTENING}(ws://\\S+)", program.log())
        async with window(address) as opened:
            yield opened

"""Firefox without a window, with a profile of its own."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from tests.sfu.program import Program, running

PREFERENCES = {
    "media.autoplay.default": 0,
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


@contextlib.asynccontextmanager
async def firefox(url: str, folder: Path) -> AsyncIterator[Program]:
    """A browser that opened `url`."""
    profile = folder / "profile"
    profile.mkdir()
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    command = ["firefox-esr", "--headless", "--no-remote", "--profile", profile, url]
    # As root, in a container, its own walls around content cannot be built.
    environment = {"HOME": str(profile), "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
    async with running("firefox", command, folder, environment=environment) as program:
        yield program

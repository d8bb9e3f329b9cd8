"""A visitor whose room is captured, with a gateway and a Chromium of their own."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import TimeoutError, sync_playwright

from tests.browser import chromium
from tests.browser.camera_clip import CameraClip
from tests.browser.server import Server
from tests.browser.visitor import HILLS, Visitor

ATTEMPTS = 3
ANSWERED = 40.0
"""Seconds in which a click has led to a plate, or was too late in the empty part of the clip."""
READY = "() => document.querySelector('[data-testid=plate-state]').dataset.state === 'ready'"


@dataclass
class Captured:
    """Who measures what they get."""

    visitor: Visitor
    server: Server


@contextlib.contextmanager
def captured(
    clip: CameraClip,
    *arguments: str,
    frame_rate: int = 30,
    script: str = "",
    module: tuple[str, ...] = ("gateway", "serve"),
) -> Iterator[Captured]:
    """Choose a backdrop and capture the room; the person comes back when the clip says so.

    `arguments` are those of `module`, which serves; `script` runs in the page before its own.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        film = clip.write(Path(folder) / "webcam.y4m")
        server = stack.enter_context(Server(Path(folder) / "log", *arguments, module=module))
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
        if script:
            page.add_init_script(script)
        page.goto(server.url)
        visitor = Visitor(page, clip)
        visitor.start()
        # Only now does the page know what the camera can do.
        visitor.part("resolution").select_option(f"{clip.width}x{clip.height}")
        visitor.part("frame-rate").select_option(str(frame_rate))
        visitor.choose(HILLS.id)
        for _ in range(ATTEMPTS):
            visitor.capture_background()
            with contextlib.suppress(TimeoutError):
                page.wait_for_function(READY, timeout=1000 * ANSWERED)
                break
        visitor.sees_the_plate_is_ready()
        yield Captured(visitor, server)

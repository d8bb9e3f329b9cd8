"""A gateway, a Chromium whose camera is a clip, and a visitor who uses the page with it."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser import chromium
from tests.browser.camera_clip import CameraClip
from tests.browser.server import Server

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever opens a page is a browser test, and has the time that a busy machine takes."""
    for item in items:
        if "open_page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The Chromium of this machine; without one the test fails and says how to get one."""
    return chromium.find()


@pytest.fixture(scope="session")
def film() -> Iterator[Callable[[CameraClip], Path]]:
    """Renders a clip once; the name of its file is the camera's name on the page."""
    rendered: dict[CameraClip, Path] = {}
    # Not pytest's own folder: that one outlives the run, and a clip has hundreds of megabytes.
    with tempfile.TemporaryDirectory() as folder:

        def render(clip: CameraClip) -> Path:
            if clip not in rendered:
                (own := Path(folder) / str(len(rendered))).mkdir()
                rendered[clip] = clip.write(own / "webcam.y4m")
            return rendered[clip]

        yield render


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gateway with the weights that ship, for all tests that do not restart it."""
    with Server(tmp_path_factory.mktemp("gateway") / "log") as running:
        yield running


@pytest.fixture
def open_page(
    chromium_path: Path, film: Callable[[CameraClip], Path], request: pytest.FixtureRequest
) -> Iterator[Open]:
    """Opens an address in a fresh Chromium: `open_page(url, clip)`; closed after the test."""
    with contextlib.ExitStack() as stack:

        def open_(url: str, clip: CameraClip, *, allowed: bool = True) -> Page:
            path = film(clip)
            # Started in its folder, because the page shows a fake camera's path as its name.
            with contextlib.chdir(path.parent):
                playwright = stack.enter_context(sync_playwright())
                browser = playwright.chromium.launch(
                    executable_path=chromium_path,
                    args=[
                        "--use-fake-device-for-media-stream",
                        f"--use-file-for-fake-video-capture={path.name}",
                        "--allow-loopback-in-peer-connection",
                        "--autoplay-policy=no-user-gesture-required",
                        "--disable-gpu",
                    ],
                )
            stack.callback(browser.close)
            context = browser.new_context(
                permissions=["camera", "microphone"] if allowed else [],
                viewport={"width": 1280, "height": 800},
            )
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.goto(url)
            return page

        yield open_

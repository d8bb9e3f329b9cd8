"""The page on screens of other shapes: what can be reached, and what it is called."""

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser.camera_clip import CameraClip
from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.visitor import Visitor

CLIP = CameraClip()
SCREENS: dict[str, ViewportSize] = {
    "desk": {"width": 1920, "height": 1080},
    "phone": {"width": 390, "height": 844},
    "phone on its side": {"width": 844, "height": 390},
    "tablet": {"width": 768, "height": 1024},
}
CONTROLS = ("start", "camera", "capture", "backdrop-hills", "theme", "watch-link")
ON_TOP = """element => {
    const {x, y, width, height} = element.getBoundingClientRect();
    const there = document.elementFromPoint(x + width / 2, y + height / 2);
    return there !== null && element.contains(there);
}"""


def nameless(page: Page) -> list[str]:
    """Controls of which somebody who listens hears no more than what kind they are."""
    heard = page.locator("body").aria_snapshot().splitlines()
    kinds = ("button", "combobox", "radio", "slider", "checkbox", "textbox", "img")
    roles = [line.strip().removeprefix("- ") for line in heard]
    return [each for each in roles if each.startswith(kinds) and '"' not in each]


@pytest.fixture
def page(server: Server, open_page: Open) -> Page:
    """The page as it opens, before anything is clicked."""
    opened = open_page(server.url, CLIP)
    opened.get_by_test_id("backdrop-hills").wait_for()
    return opened


def test_every_control_is_reached_and_has_a_name_on_every_screen(page: Page):
    for name, size in SCREENS.items():
        page.set_viewport_size(size)
        assert nameless(page) == [], name
        for control in CONTROLS:
            part = page.get_by_test_id(control)
            part.scroll_into_view_if_needed()
            assert part.evaluate(ON_TOP), f"{control} is covered on a {name}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_while_the_camera_runs_its_video_covers_no_control_on_any_screen(page: Page):
    visitor = Visitor(page, CLIP)
    visitor.start()
    for name, size in SCREENS.items():
        page.set_viewport_size(size)
        assert nameless(page) == [], name
        for control in ("capture", "backdrop-hills", "mute", "stop"):
            part = visitor.part(control)
            part.scroll_into_view_if_needed()
            assert part.evaluate(ON_TOP), f"{control} is covered on a {name}"

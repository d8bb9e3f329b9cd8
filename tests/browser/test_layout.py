"""The page on screens of other shapes: what can be reached, and what it is called."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.camera_clip import ROOM, CameraClip
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


BOX = "element => element.getBoundingClientRect().toJSON()"
WATCH_FOR_BLACK = """() => {
    const composite = document.querySelector("#composite");
    const [stage, curtain] = [document.querySelector("#stage"), document.querySelector("#curtain")];
    globalThis.seen = { live: 0, black: 0 };
    const look = () => {
        if (stage.dataset.phase === "live") {
            globalThis.seen.live += 1;
            const shown = Number(getComputedStyle(composite.parentElement).opacity) > 0.5;
            if (shown && composite.readyState < HTMLMediaElement.HAVE_CURRENT_DATA)
                globalThis.seen.black += 1;
        }
        requestAnimationFrame(look);
    };
    look();
}"""


def test_on_a_phone_nothing_lies_on_the_countdown_and_the_figures_are_in_view(page: Page):
    page.set_viewport_size(SCREENS["phone"])
    page.reload()
    page.evaluate(WATCH_FOR_BLACK)
    visitor = Visitor(page, CLIP)
    visitor.start()
    seen = page.evaluate("globalThis.seen")
    assert seen["live"] > 0
    assert seen["black"] == 0, "an empty video was shown as what others see"

    figures = visitor.part("stats")
    expect(figures).to_be_hidden()
    page.evaluate("scrollTo(0, 0)")
    visitor.part("toggle-stats").click()
    expect(figures).to_be_in_viewport(ratio=1)
    visitor.part("toggle-stats").click()

    visitor.part("capture").click()
    cancel = visitor.part("cancel-capture")
    expect(cancel).to_be_visible()
    own = page.locator(".screen.source")
    # It moves there while the countdown begins.
    own.evaluate("view => Promise.all(view.getAnimations().map(each => each.finished))")
    assert cancel.evaluate(ON_TOP)
    view = own.evaluate(BOX)
    for covered in ("#countdown-title", "#cancel-capture", ".count-ring"):
        box = page.locator(covered).evaluate(BOX)
        beside = box["right"] <= view["left"] or box["left"] >= view["right"]
        below = box["bottom"] <= view["top"] or box["top"] >= view["bottom"]
        assert beside or below, covered
    cancel.click()


def test_the_message_about_a_bad_picture_goes_when_a_good_one_comes(page: Page, tmp_path: Path):
    bad = tmp_path / "notes.txt"
    bad.write_text("no picture")
    page.get_by_test_id("upload").set_input_files(bad)
    message = page.get_by_test_id("message")
    expect(message).to_contain_text("not a picture")
    page.get_by_test_id("upload").set_input_files(ROOM)
    # At once, before it would go by itself.
    page.wait_for_function(
        """() => [...document.querySelectorAll(".tile")].at(-1).title === "Your picture" """
    )
    assert message.is_hidden()

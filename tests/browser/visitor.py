"""Somebody at the page: clicks what a person would click, and looks at what comes back."""

import base64
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from gateway.gallery import built_in
from tests.browser.camera_clip import CameraClip
from tests.browser.likeness import backdrop_error, person_error, room_error, room_share

RGB = NDArray[np.uint8]

HILLS = next(each for each in built_in() if each.id == "hills")
"""A built-in backdrop without any green."""

NEXT_FRAME = """video => new Promise(resolve => {
    const patience = setTimeout(() => resolve(null), 5000);
    video.requestVideoFrameCallback(() => {
        clearTimeout(patience);
        const canvas = document.createElement("canvas");
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        canvas.getContext("2d").drawImage(video, 0, 0);
        resolve(canvas.toDataURL("image/png"));
    });
})"""


@dataclass
class Visitor:
    """A person before a camera, which is `clip`, with `page` open."""

    page: Page
    clip: CameraClip
    patience: float = 180.0
    """Seconds to wait for anything: the machine may be slow and busy, and a clip takes its time."""

    def part(self, name: str) -> Locator:
        """The element that the page marks with this test id."""
        return self.page.get_by_test_id(name)

    @property
    def source(self) -> Locator:
        """The video element with the camera."""
        return self.part("source-video")

    @property
    def composite(self) -> Locator:
        """The video element with what the gateway sends back."""
        return self.part("composite-video")

    def start(self) -> None:
        """Press Start and wait until video comes back."""
        self.part("start").click()
        self.until(self.composite, lambda _: True, "video from the gateway")

    def capture_background(self) -> None:
        """Wait until the room has just become empty, and press the button."""
        self.until(self.source, self.is_standing, "the person to stand in the room")
        self.until(self.source, self.is_empty, "the person to leave the room")
        self.part("capture").click()

    def choose(self, backdrop: str) -> None:
        """Choose a backdrop of the gallery by its id."""
        self.part(f"backdrop-{backdrop}").click()

    def choose_colour(self, rgb: str) -> None:
        """Choose a flat colour, `#rrggbb`."""
        self.choose("colour")
        # A colour picker is a dialog of the system; its answer is this.
        self.part("colour").fill(rgb)
        self.part("colour").dispatch_event("change")

    def sees_connection(self, state: str) -> None:
        """Wait until the page says so: off, live, lost."""
        attribute = self.part("connection-state")
        expect(attribute).to_have_attribute("data-state", state, timeout=self.patience * 1000)

    def sees_the_plate_is_ready(self) -> None:
        """Wait until the page says that the room is captured, and shows it."""
        state = self.part("plate-state")
        expect(state).to_have_attribute("data-state", "ready", timeout=self.patience * 1000)
        expect(self.part("plate-thumbnail")).to_be_visible()

    def stands_before(self, backdrop: RGB) -> None:
        """Wait until the person is back, unharmed; the backdrop is behind them and no room.

        Median of some frames: the codec needs a moment after each change of scene.
        """
        composites = (each for each in self.frames(self.composite) if self.is_standing(each))
        some = list(islice(composites, 7))
        assert len(some) == 7, "the person did not come back unharmed, at the camera's resolution"
        assert statistics.median(backdrop_error(each, backdrop, self.clip) for each in some) < 10
        assert abs(statistics.median(room_share(each, backdrop, self.clip) for each in some)) < 0.05

    def number(self, name: str) -> float:
        """A number of the statistics line; NaN while there is none."""
        return float(self.part("stats").get_attribute(f"data-{name}") or "nan")

    def sees_numbers_move(self) -> None:
        """Wait until the statistics have said something else than now."""
        before = self.number("frames-out")
        self.page.wait_for_function(
            """before => {
                const stats = document.querySelector("[data-testid=stats]");
                return Number(stats.dataset.framesOut) > before && Number(stats.dataset.fpsOut) > 0;
            }""",
            arg=0 if math.isnan(before) else before,
            timeout=self.patience * 1000,
        )

    def photograph(self, target: Path) -> None:
        """Save the page as it looks now, once the person stands in the composite."""
        self.page.set_viewport_size({"width": 1440, "height": 900})
        self.page.mouse.move(0, 0)
        self.page.locator("#step-camera").evaluate("card => card.parentElement.scrollTo(0, 0)")
        self.until(self.composite, self.is_standing, "the person to stand in the composite")
        quality = 92 if target.suffix == ".jpg" else None
        self.page.screenshot(path=target, quality=quality)

    def is_standing(self, picture: RGB) -> bool:
        """Whether the person of the clip stands in the picture, whatever is behind them."""
        return picture.shape == self.size and person_error(picture, self.clip) < 12

    def is_empty(self, picture: RGB) -> bool:
        """Whether this is the empty room."""
        return picture.shape == self.size and room_error(picture, self.clip) < 6

    @property
    def size(self) -> tuple[int, int, int]:
        """The shape of a picture at the camera's resolution."""
        return self.clip.height, self.clip.width, 3

    def frames(self, video: Locator) -> Iterator[RGB]:
        """The pictures of a video element as they arrive, until patience ends."""
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            data = video.evaluate(NEXT_FRAME)
            if data is not None:
                encoded = np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8)
                yield cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def until(self, video: Locator, wanted: Callable[[RGB], bool], what: str) -> RGB:
        """The first picture that is as wanted; fails saying `what` did not come."""
        for picture in self.frames(video):
            if wanted(picture):
                return picture
        raise AssertionError(f"waited {self.patience:.0f} s for {what}")

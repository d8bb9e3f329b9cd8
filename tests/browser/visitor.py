"""Somebody at the page: clicks what a person would click, and looks at what comes back."""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

from tests.browser.camera_clip import CameraClip
from tests.browser.likeness import person_error, room_error

RGB = NDArray[np.uint8]

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

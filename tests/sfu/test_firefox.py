"""What people see in Firefox, which is what a screenshot shows."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.gallery import built_in
from tests.browser.likeness import covering, load
from tests.gateway.paced_camera import PacedCamera
from tests.sfu.film import HILLS, FilmCamera, frames
from tests.sfu.firefox import firefox
from tests.sfu.page import page
from tests.sfu.probe import publishing
from tests.sfu.sight import looking
from tests.sfu.stream import TOKEN, stream
from tests.sfu.visitor import ENTER, ESCAPE, Visitor, camera

pytestmark = pytest.mark.sfu

SIZES = [(640, 360), (480, 270), (641, 361), (800, 450), (320, 180)]
"""Some that browsers step down to, one with a height that is no multiple of four, an odd one."""
ROW = 20.0
"""Mean distance of any row from the backdrop, in steps of 1/255. A row from elsewhere is at 50."""
ARRIVED = """([width, height]) => new Promise((resolve, reject) => {
    const video = document.querySelector("#composite");
    const size = () => `${video.videoWidth}x${video.videoHeight}`;
    setTimeout(() => reject(new Error(`it is ${size()}`)), 60_000);
    const look = () => size() === `${width}x${height}`
        ? resolve() : video.requestVideoFrameCallback(look);
    look();
})"""


class SteppingCamera(PacedCamera):
    """The empty room at a size that changes."""

    size = SIZES[0]

    async def picture(self) -> NDArray[np.uint8]:
        width, height = self.size
        room = cv2.cvtColor(frames()[0][0], cv2.COLOR_YUV2BGR_I420)
        even = cv2.resize(room, (width // 2 * 2, height // 2 * 2))
        return cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420)


async def test_composites_of_every_size_are_shown_undamaged(tmp_path: Path, gateway: str):
    stepping = SteppingCamera(15)
    async with (
        stream(gateway, "sizes") as scene,
        publishing(scene.whip, stepping, token=TOKEN),
        page("sizes", whep=scene.whep) as (_, url),
        firefox(tmp_path) as window,
    ):
        await scene.choose_hills()
        await window.open(url)
        for size in SIZES:
            stepping.size = size
            even = [side // 2 * 2 for side in size]
            await window.evaluate(ARRIVED, even)

            shown = await window.screenshot("#composite")

            backdrop = covering(load(HILLS.path), *even).astype(float)
            rows = np.abs(shown - backdrop).mean(axis=(1, 2))
            assert rows.max() < ROW, f"{size}: row {rows.argmax()} is {rows.max():.0f} away"


async def test_a_keyboard_is_enough_to_stand_before_a_backdrop(tmp_path: Path, gateway: str):
    digit = 1 + [each.id for each in built_in()].index(HILLS.id)
    async with firefox(tmp_path) as window:
        await window.before_every_page(camera())
        await window.open(gateway)
        visitor = Visitor(window)

        await visitor.presses(str(digit))
        await visitor.reaches("start")
        await visitor.presses(ENTER)
        await visitor.reaches("token-value")
        await visitor.presses(*TOKEN, ENTER)
        await visitor.reads("connection-state", "live")
        async with looking("firefox", visitor.composite) as eye:
            await eye.sees_only_the_backdrop()
            await visitor.presses("b")
            await visitor.reads("plate-state", "ready")
            await visitor.steps_in()
            await eye.sees_the_person_before_the_backdrop()
            eye.never_saw_the_room()
        # The composite alone, not mirrored, and no message over it.
        await visitor.presses("l", "l", "x", ESCAPE)
        async with looking("firefox's screen", visitor.screen) as eye:
            await eye.sees_the_person_before_the_backdrop()
        assert window.complaints == []


async def test_who_follows_a_watch_link_sees_the_composite(tmp_path: Path, gateway: str):
    async with (
        stream(gateway, "link") as scene,
        publishing(scene.whip, FilmCamera(), token=TOKEN),
        firefox(tmp_path) as window,
    ):
        await scene.choose_hills()
        # As wide as the composite is, so that nothing is beside it.
        await window.open(f"{gateway}/src/watch.html#link", 1280, 720)
        visitor = Visitor(window)
        await visitor.reaches("token-value")
        await visitor.presses(*TOKEN, ENTER)
        async with looking("a watch link", lambda: window.screenshot("#video")) as eye:
            await eye.sees_only_the_backdrop()
        assert window.complaints == []

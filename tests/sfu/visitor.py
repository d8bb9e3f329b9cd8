"""Somebody at the gateway's own page in Firefox, who has a keyboard and no mouse."""

import base64
import json
from pathlib import Path

import cv2
import numpy as np

from tests.browser.visitor import NEXT_FRAME
from tests.sfu.film import frames
from tests.sfu.window import RGB, Window

CAMERA = Path(__file__).with_name("camera.js")
TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"
"""As WebDriver has them."""
TABS = 40
"""More than the page has controls."""
FRAME = f"element => ({NEXT_FRAME})(document.querySelector(element))"
COMPOSITE = "[data-testid=composite-video]"
STATE = """async ([name, wanted]) => {
    const part = document.querySelector(`[data-testid=${name}]`);
    const end = Date.now() + 60_000;
    while (part.dataset.state !== wanted && Date.now() < end) {
        await new Promise(resolve => setTimeout(resolve, 100));
    }
    return part.dataset.state;
}"""


class Visitor:
    """The page is open; the camera shows the empty room until `steps_in`."""

    def __init__(self, window: Window) -> None:
        self._window = window

    async def reaches(self, element: str) -> None:
        """Press Tab until the element with this id has the focus."""
        for _ in range(TABS):
            if await self._window.evaluate("() => document.activeElement?.id") == element:
                return
            await self._window.press(TAB)
        raise AssertionError(f"no Tab leads to {element}")

    async def presses(self, *keys: str) -> None:
        """Keys, one after the other."""
        await self._window.press(*keys)

    async def reads(self, name: str, state: str) -> None:
        """Wait until a part of the page is in this state."""
        found = await self._window.evaluate(STATE, [name, state])
        assert found == state, f"{name} says {found!r}, not {state!r}"

    async def steps_in(self) -> None:
        """Stand before the camera."""
        await self._window.evaluate("() => filmRuns('standing')")

    async def composite(self) -> RGB:
        """The next picture that comes back: H x W x 3."""
        data = await self._window.evaluate(FRAME, COMPOSITE)
        assert data is not None, "no picture came within five seconds"
        encoded = np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8)
        pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        assert pixels is not None
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)

    async def screen(self) -> RGB:
        """The composite as the screen shows it."""
        return await self._window.screenshot(COMPOSITE)


def camera() -> str:
    """A function that puts the film in the place of the camera."""
    films = {
        name: [_jpeg(i420) for i420 in film]
        for name, film in zip(("empty", "standing"), frames(), strict=True)
    }
    return f"() => {{ ({CAMERA.read_text()})({json.dumps(films)}); }}"


def _jpeg(i420: RGB) -> str:
    pixels = cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 97])
    return base64.b64encode(encoded.tobytes()).decode()

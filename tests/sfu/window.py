"""A page in a browser that speaks WebDriver BiDi (W3C), as Firefox does without any driver."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import cv2
import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]

RECTANGLE = """element => {
    const {x, y, width, height} = document.querySelector(element).getBoundingClientRect();
    return {x: x + scrollX, y: y + scrollY, width, height};
}"""


class Window:
    """What somebody before the screen sees and does."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []
        """Errors and warnings of the page's console, uncaught exceptions among them."""
        self._socket = socket
        self._context = ""
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0

    async def open(self, url: str, width: int = 1280, height: int = 800) -> None:
        """Go there, in a window of this size; returns when the page has loaded."""
        size = {"width": width, "height": height}
        await self.call("browsingContext.setViewport", context=self._context, viewport=size)
        await self.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def before_every_page(self, function: str) -> None:
        """Run a function in each page before the page's own scripts."""
        await self.call("script.addPreloadScript", functionDeclaration=function)

    async def evaluate(self, function: str, argument: object = None) -> Any:
        """What a function of the page, given `argument`, returns or resolves to, as JSON has it."""
        expression = f"(async () => JSON.stringify(await ({function})({json.dumps(argument)})))()"
        found = await self.call(
            "script.evaluate",
            expression=expression,
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert found["type"] == "success", found["exceptionDetails"]["text"]
        return json.loads(found["result"].get("value", "null"))

    async def screenshot(self, element: str | None = None) -> RGB:
        """The page as it is on the screen, or the part of it where an element is: H x W x 3."""
        part: dict[str, Any] = {}
        if element is not None:
            box = {"type": "box", **await self.evaluate(RECTANGLE, element)}
            part = {"origin": "document", "clip": box}
        taken = await self.call("browsingContext.captureScreenshot", context=self._context, **part)
        encoded = np.frombuffer(base64.b64decode(taken["data"]), np.uint8)
        pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        assert pixels is not None
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)

    async def press(self, *keys: str) -> None:
        """Keys one after the other, as from a keyboard."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": strokes}
        await self.call("input.performActions", context=self._context, actions=[source])

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the protocol; fails with the browser's own words."""
        self._asked += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._asked] = answer
        message = {"id": self._asked, "method": method, "params": parameters}
        await self._socket.send_json(message)
        found: dict[str, Any] = await answer
        assert found["type"] == "success", f"{method}: {found.get('message', found)}"
        result: dict[str, Any] = found["result"]
        return result

    async def begin(self) -> None:
        """Start a session, in a page of its own: the first one's keys go to the address bar."""
        await self.call("session.new", capabilities={})
        await self.call("session.subscribe", events=["log.entryAdded"])
        self._context = (await self.call("browsingContext.create", type="tab"))["context"]

    async def listen(self) -> None:
        """Take what the browser says until it hangs up; then nothing waits any longer."""
        try:
            async for message in self._socket:
                self._hear(json.loads(message.data))
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(AssertionError("the browser hung up"))

    def _hear(self, said: dict[str, Any]) -> None:
        if said.get("id") is not None:
            answer = self._answers.pop(said["id"])
            # Whoever asked may have been cancelled.
            if not answer.done():
                answer.set_result(said)
        elif said.get("method") == "log.entryAdded":
            self._complain(said["params"])

    def _complain(self, entry: dict[str, Any]) -> None:
        if entry["level"] in ("error", "warn"):
            self.complaints.append(f"{entry['level']}: {entry['text']}")


@contextlib.asynccontextmanager
async def window(url: str) -> AsyncIterator[Window]:
    """A window of the browser that listens at `url`, until the end of the block."""
    async with (
        aiohttp.ClientSession() as http,
        # Screenshots are large messages.
        http.ws_connect(f"{url}/session", max_msg_size=0) as socket,
    ):
        here = Window(socket)
        listening = asyncio.create_task(here.listen())
        try:
            await here.begin()
            yield here
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

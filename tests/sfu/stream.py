"""One stream at the gateway under test, as the operator of a camera without a page controls it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Protocol

import aiohttp

from tests.sfu.film import HILLS
from tests.sfu.probe import bearer
from tests.sfu.sight import Sight

TOKEN = "a-token-of-the-operator"
"""The gateway's: publishing, watching and the streams want it."""
TRIES = 60
"""A capture may come too early: no video yet, or a picture that the codec still sharpens."""


class Camera(Protocol):
    """Whatever publishes: somebody comes into its picture when `person` is set."""

    person: bool


class Stream:
    """Its URLs, and what the operator's token opens."""

    def __init__(self, gateway: str, name: str, http: aiohttp.ClientSession) -> None:
        self.name = name
        self.whip = f"{gateway}/whip/{name}"
        self.whep = f"{gateway}/whep/{name}"
        self._url = f"{gateway}/streams/{name}"
        self._http = http

    async def capture_plate(self) -> None:
        """Learn the empty room from the camera; fails when no capture is ever taken."""
        said = ""
        for _ in range(TRIES):
            async with self._call("POST", "/plate") as response:
                said = await response.text()
                if response.status == 200:
                    return
                assert response.status in (404, 409), said
            await asyncio.sleep(1)
        raise AssertionError(f"no plate was taken in {TRIES} tries: {said}")

    async def learns_the_plate(self) -> None:
        """Wait for the plate that `?plate=first` asked for; fails when none is found."""
        for _ in range(TRIES):
            plate = (await self.state())["plate"]
            if plate["state"] == "ready":
                return
            assert plate["first"]["state"] != "missed", plate
            await asyncio.sleep(1)
        raise AssertionError(f"no plate was found in {TRIES} s: {plate}")

    async def choose_hills(self) -> None:
        """Choose the backdrop."""
        wanted = {"kind": "picture", "id": HILLS.id}
        async with self._call("PUT", "/backdrop", json=wanted) as response:
            assert response.status == 204, await response.text()

    async def state(self) -> dict[str, Any]:
        """State and statistics."""
        async with self._call("GET", "") as response:
            found: dict[str, Any] = await response.json()
            assert response.status == 200, found
            return found

    def _call(self, method: str, path: str, **options: Any) -> Any:
        return self._http.request(method, self._url + path, **options)


@contextlib.asynccontextmanager
async def stream(gateway: str, name: str) -> AsyncIterator[Stream]:
    """The controls of a stream that somebody is going to publish."""
    async with aiohttp.ClientSession(headers=bearer(TOKEN)) as http:
        yield Stream(gateway, name, http)


async def stands_before_the_hills(
    stream: Stream, eye: Sight, camera: Camera, *others: Sight
) -> None:
    """The whole story: backdrop, plate of the empty room, person; and nobody ever saw the room."""
    await stream.choose_hills()
    await stream.capture_plate()
    await eye.sees_only_the_backdrop()
    camera.person = True
    for each in (eye, *others):
        await each.sees_the_person_before_the_backdrop()
        each.never_saw_the_room()

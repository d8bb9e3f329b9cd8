"""A participant who goes to a gateway.

Does over HTTP and WebRTC what the page does: publishes, captures the plate with nobody in the
picture, chooses a backdrop, steps in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp
from aiortc import RTCSessionDescription

from gateway import events
from gateway.bench.errors import BenchError
from gateway.bench.onlooker import Onlooker
from gateway.bench.participant import PATIENCE, SETTLED, Participant, preferred
from gateway.bench.plan import Plan
from gateway.bench.reel import Reel
from gateway.transport.connection import Connection

ATTEMPTS: Final = 3
"""At a plate: the first key frames of a call are coarse, and may look as if something moved."""


class Guest(Participant):
    """Publishes to a gateway and receives its composite."""

    def __init__(self, plan: Plan, reel: Reel, seed: int, url: str) -> None:
        super().__init__(plan, reel, seed)
        self._url = url
        self._http: aiohttp.ClientSession
        self._name = self._key = ""

    async def __aenter__(self) -> Guest:
        async with AsyncExitStack() as stack:
            stack.push_async_exit(self._stack)
            self._http = await self._stack.enter_async_context(
                aiohttp.ClientSession(self._url, timeout=aiohttp.ClientTimeout(PATIENCE))
            )
            await self._publish()
            if self._plan.watch:
                await self._watch()
            await self._choose_backdrop()
            await self._capture_plate()
            await self._bring_onlookers()
            await self.flowing()
            stack.pop_all()
        return self

    async def server_numbers(self) -> dict[str, Any]:
        """See `Participant`: `GET /streams/{name}`."""
        shown = await self._call("GET", "")
        return {**shown["stats"], "encoded": shown["departures"]["encoded"]}

    async def _publish(self) -> None:
        connection = self.connection()
        self.send_camera(connection, "sendonly" if self._plan.watch else "sendrecv")
        if not self._plan.watch:
            # The data channel is how a page asks for the composite on the same connection.
            connection.createDataChannel(events.LABEL)
        headers = await self._signal(connection, "/whip")
        self._name = headers["Location"].split("/")[2]
        self._key = headers["Cleanplate-Key"]

    async def _watch(self) -> None:
        # A stream can be watched from its first frame on.
        await self._numbers_until(lambda stats: stats["frames_in"] > 0, "no frame arrived")
        await self._receive_from(self.connection())

    async def _bring_onlookers(self) -> None:
        for _ in range(self._plan.watchers):
            connection = self.connection(watched=False)
            await self._receive_from(connection, looking=False)
        await self.until(
            lambda: all(each.frames for each in self.onlookers), "a watcher was sent nothing"
        )

    async def _receive_from(self, connection: Connection, *, looking: bool = True) -> None:
        transceiver = connection.addTransceiver("video", "recvonly")
        transceiver.setCodecPreferences(preferred(self._plan.codec))
        if self._plan.sound and looking:
            connection.addTransceiver("audio", "recvonly")
        if not looking:
            self.onlookers.append(Onlooker(connection))
        await self._signal(connection, f"/whep/{self._name}", impaired=looking)

    async def _signal(self, connection: Connection, path: str, *, impaired: bool = True) -> Any:
        await connection.setLocalDescription(await connection.createOffer())
        if impaired:
            await self.impaired(connection)
        offer = connection.localDescription.sdp
        headers = {"Content-Type": "application/sdp"}
        async with self._http.post(path, data=offer, headers=headers) as response:
            answer = await response.text()
            if response.status != 201:
                raise BenchError(f"POST {path} was answered {response.status}: {answer}")
            location = response.headers["Location"]
            self._stack.push_async_callback(self._leave, location)
            await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            return response.headers

    async def _choose_backdrop(self) -> None:
        wanted = self._plan.backdrop
        if wanted.startswith("#"):
            choice: dict[str, Any] = {"kind": "colour", "rgb": wanted}
        elif wanted == "blur":
            choice = {"kind": "blur"}
        else:
            choice = {"kind": "picture", "id": wanted}
        await self._call("PUT", "/backdrop", json=choice)

    async def _capture_plate(self) -> None:
        await self._numbers_until(
            lambda stats: stats["frames_in"] > SETTLED and stats["fps_in"] > 0, "no frame arrived"
        )
        for left in reversed(range(ATTEMPTS)):
            try:
                await self._call("POST", "/plate")
                return
            except BenchError:
                if not left:
                    raise
                await asyncio.sleep(1.0)

    async def _numbers_until(
        self, condition: Callable[[dict[str, Any]], bool], complaint: str
    ) -> None:
        end = time.monotonic() + PATIENCE
        while not condition(await self.server_numbers()):
            if time.monotonic() > end:
                raise BenchError(f"within {PATIENCE:.0f} s {complaint} at the server")
            await asyncio.sleep(0.1)

    async def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = {"Cleanplate-Key": self._key}
        url = f"/streams/{self._name}{path}"
        async with self._http.request(method, url, headers=headers, **options) as response:
            if response.status >= 400:
                text = await response.text()
                raise BenchError(f"{method} {url} was answered {response.status}: {text}")
            found: dict[str, Any] = await response.json() if response.status == 200 else {}
            return found

    async def _leave(self, location: str) -> None:
        async with self._http.delete(location):
            # The session may have ended by itself; either way it is gone.
            pass

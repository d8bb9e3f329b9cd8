"""What a viewer sees: pictures as they come, and the questions that every test here asks them."""

import asyncio
import contextlib
import os
import statistics
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from aiortc import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from numpy.typing import NDArray

from tests.browser.likeness import backdrop_error, person_error, room_error, room_share
from tests.sfu.film import CLIP, hills

RGB = NDArray[np.uint8]

PATIENCE = 90.0
"""Seconds to wait for a picture: the machine may be slow and busy."""

BEHIND: Final = 14.0
"""Mean distance from the backdrop, in steps of 1/255: hills at some hundred kbit/s, re-encoded."""
INSIDE: Final = 16.0
"""Median distance from the person."""
THROUGH: Final = 0.05
"""Share of the room."""


class Sight:
    """The pictures of one viewer, H x W x 3 at the size of the clip; only the newest is kept."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.rooms = 0
        """How many pictures were the empty room, or had it around the person."""
        self._newest: RGB | None = None
        self._failure: str | None = None
        self._came = asyncio.Condition()

    async def take(self, picture: RGB) -> None:
        """Look at one. A gateway that saves time may send fewer pixels; they are enlarged."""
        if picture.shape[:2] != (CLIP.height, CLIP.width):
            picture = cv2.resize(picture, (CLIP.width, CLIP.height), interpolation=cv2.INTER_CUBIC)
        async with self._came:
            self._newest = picture
            self.count += 1
            self.rooms += room_share(picture, hills(), CLIP) > 0.5
            self._came.notify_all()

    async def fail(self, reason: str) -> None:
        """Nothing more will come; whoever waits hears why."""
        async with self._came:
            self._failure = reason
            self._came.notify_all()

    async def watch(self, track: MediaStreamTrack) -> None:
        """Look at a track until it ends."""
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                await self.take(await asyncio.to_thread(frame.to_ndarray, format="rgb24"))

    async def next(self) -> RGB:
        """The next picture."""
        async with self._came:
            if self._failure is None:
                await self._came.wait()
            assert self._failure is None, f"{self.name} failed: {self._failure}"
            assert self._newest is not None
            return self._newest

    async def until(self, wanted: Callable[[RGB], bool], what: str, times: int = 1) -> list[RGB]:
        """As many pictures as wanted; fails saying that `what` did not come."""
        found: deque[RGB] = deque(maxlen=times)
        try:
            async with asyncio.timeout(PATIENCE):
                while len(found) < times:
                    picture = await self.next()
                    if wanted(picture):
                        found.append(picture)
        except TimeoutError:
            raise AssertionError(
                f"{self.name} waited {PATIENCE:.0f} s for {what}; {self._last()}"
            ) from None
        return list(found)

    async def sees_the_room(self) -> None:
        """The camera's own picture: what an SFU without us would show."""
        await self.until(lambda picture: room_error(picture, CLIP) < 10, "the empty room")

    async def sees_only_the_backdrop(self) -> None:
        """Nobody is there, and no room either."""
        found = await self.until(_is_backdrop, "the backdrop alone", times=3)
        self._keep(found[-1])

    async def sees_the_person_before_the_backdrop(self) -> None:
        """The person is there, the backdrop is behind them, and the room is not."""
        found = await self.until(_is_standing, "the person to stand before the backdrop", times=7)
        self._keep(found[-1])
        behind = statistics.median(backdrop_error(each, hills(), CLIP) for each in found)
        through = statistics.median(room_share(each, hills(), CLIP) for each in found)
        assert behind < BEHIND, f"{self.name} sees something else than the backdrop: {behind:.1f}"
        assert abs(through) < THROUGH, f"{self.name} sees the room: {through:.3f}"

    def never_saw_the_room(self) -> None:
        """Not in any picture, from the first one on."""
        assert self.count > 0
        assert self.rooms == 0, f"{self.name} saw the room in {self.rooms} of {self.count} pictures"

    def _last(self) -> str:
        if self._newest is None:
            return "no picture came at all"
        self._keep(self._newest)
        behind = backdrop_error(self._newest, hills(), CLIP)
        inside = person_error(self._newest, CLIP)
        room = room_error(self._newest, CLIP)
        return (
            f"of {self.count} pictures, the last is {behind:.0f} away from the backdrop, "
            f"{inside:.0f} from the person and {room:.0f} from the empty room"
        )

    def _keep(self, picture: RGB) -> None:
        """Write it where `SFU_PICTURES` says, for who wants to look."""
        if folder := os.environ.get("SFU_PICTURES"):
            path = Path(folder) / f"{self.name.replace(' ', '-')}.png"
            cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


@contextlib.asynccontextmanager
async def looking(name: str, picture: Callable[[], Awaitable[RGB]]) -> AsyncIterator[Sight]:
    """Look at pictures that have to be fetched, one after the other, until the end of the block."""
    sight = Sight(name)

    async def look() -> None:
        try:
            while True:
                await sight.take(await picture())
        except AssertionError as error:
            await sight.fail(str(error))

    task = asyncio.create_task(look())
    try:
        yield sight
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _is_standing(picture: RGB) -> bool:
    return (
        person_error(picture, CLIP) < INSIDE and backdrop_error(picture, hills(), CLIP) < 2 * BEHIND
    )


def _is_backdrop(picture: RGB) -> bool:
    error = np.abs(picture.astype(float) - hills()).mean()
    return bool(error < BEHIND)

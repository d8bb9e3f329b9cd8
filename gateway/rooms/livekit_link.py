"""What the gateway needs of a LiveKit room that it has joined, whoever provides it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from aiortc import MediaStreamTrack

from models.report import I420

MARK: Final = " (Cleanplate)"
"""Behind the name of whom a track shows; a track that bears it is never matted."""


class LinkLost(Exception):
    """The room is left, or could not be entered; another try may help."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A published track whose video runs."""

    sid: str
    name: str
    width: int
    """As published; 0 where that is not known."""
    height: int
    encrypted: bool = False
    """End to end, so that only who has the room's key sees anything."""

    @property
    def ours(self) -> bool:
        """Whether it is a composite, of this gateway or another one."""
        return self.name.endswith(MARK)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody else in the room."""

    identity: str
    name: str
    cameras: tuple[Camera, ...] = ()

    @property
    def title(self) -> str:
        """For people."""
        return self.name or self.identity

    @property
    def camera(self) -> Camera | None:
        """The one to matte; `None` while it is off, or cannot be read."""
        return next((each for each in self.cameras if not each.ours and not each.encrypted), None)

    @property
    def sealed(self) -> bool:
        """Whether there is a camera, and none that can be read."""
        return self.camera is None and any(not each.ours for each in self.cameras)


@dataclass(slots=True)
class Token:
    """Lets the gateway in. LiveKit renews it for who is there, and links keep the newest here."""

    value: str


@dataclass(frozen=True, slots=True)
class Encoding:
    """The most that a composite may take."""

    bitrate: int
    """bit/s."""
    rate: float
    """Frames per second."""


class Screen(Protocol):
    """A track that the gateway publishes."""

    async def put(self, pixels: I420) -> None:
        """The next picture; of any size, as encoders follow it."""


class Link(Protocol):
    """A room that was joined."""

    def people(self) -> tuple[Person, ...]:
        """Everybody else who is there now."""

    async def changed(self) -> None:
        """Wait until `people` may have changed; raises `LinkLost` or `Hopeless`."""

    def watching(self, camera: Camera) -> AbstractAsyncContextManager[MediaStreamTrack]:
        """Subscribe meanwhile; raises `CallFailed` where that fails."""

    def showing(self, name: str, width: int, height: int) -> AbstractAsyncContextManager[Screen]:
        """Publish a track meanwhile; raises `CallFailed` where that fails."""


Join: TypeAlias = Callable[[str, Token, Encoding], AbstractAsyncContextManager[Link]]
"""Enter by URL and token, leave at the end; entering raises `LinkLost` or `Hopeless`."""

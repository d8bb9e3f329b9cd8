"""What the seats of all kinds of rooms have in common: one person's stream, and trying again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from gateway import events
from gateway.backdrops import UnknownBackdrop
from gateway.feed import Feed
from gateway.kept_plates import UnknownPlate
from gateway.owned_tasks import OwnedTasks, apart
from gateway.relays.backoff import Backoff, Patience
from gateway.relays.calls import CallFailed
from gateway.relays.leg import Tell
from gateway.scenery import Scenery
from gateway.worker import Full, NameTaken, Worker

logger = logging.getLogger(__name__)


class Over(Exception):
    """The stream is not ours to feed any more."""


class NoPlace(Exception):
    """There is no stream for a person now; the message says why."""


class Seat:
    """Holds the stream of one person for as long as they are in the room.

    What connects it may be lost and found again meanwhile: plate and backdrop stay with the stream.
    """

    ends: tuple[type[Exception], ...] = (Over,)
    """What `again` passes on: another try would be of no use."""

    def __init__(self, title: str, worker: Worker, *, patience: Patience, tell: Tell) -> None:
        """`title` is the person's name, for people."""
        self.title = title
        self.feed: Feed
        self._worker = worker
        self._patience = patience
        self._tell = tell
        self._stack = contextlib.AsyncExitStack()
        self._tasks = OwnedTasks()
        self._idle = asyncio.Event()
        """Set while nothing connects it."""
        self._idle.set()

    async def open(
        self, name: str, key: str, scenery: Scenery, given_up: Callable[[], object]
    ) -> None:
        """Begin, or find again, the stream; raises `NoPlace`.

        `given_up` is called when it has gone to somebody else, who brought its key.
        """
        feeding = self._worker.feeding(name, key, scenery=scenery)
        try:
            self.feed = await self._stack.enter_async_context(feeding)
        except (UnknownBackdrop, UnknownPlate) as error:
            # It was there when the room was entered: somebody has taken it away since.
            raise NoPlace(f"no backdrop or plate is called {error} any more") from error
        except (Full, NameTaken) as error:
            raise NoPlace(f"no place for a stream: {error}") from error
        listeners = self.feed.stream.listeners
        listeners.add(self._hear)
        self._stack.callback(listeners.discard, self._hear)
        self._tasks.start(self._give_up(given_up))

    async def close(self) -> None:
        """The stream lingers. Whatever connects it must have ended before."""
        await self._tasks.close()
        await self._stack.aclose()

    async def connect(self, *work: Coroutine[Any, Any, object]) -> None:
        """Do all this until the stream is over; raises what it raises."""
        self._idle.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                for each in (self._until_over(), *work):
                    tasks.create_task(each)
        except* Over:
            # `_give_up` does the rest.
            pass
        finally:
            self._idle.set()

    async def _give_up(self, given_up: Callable[[], object]) -> None:
        """Let the stream go to whoever takes it over, who waits for that.

        A task of its own, as nothing may be connected then: while a camera is off, say.
        """
        await self.feed.over.wait()
        await self._idle.wait()
        self.say(f"let go: {self.feed.reason}")
        await self._stack.aclose()
        given_up()

    async def _until_over(self) -> NoReturn:
        await self.feed.over.wait()
        raise Over

    async def again(self, what: str, connect: Callable[[], Coroutine[Any, Any, NoReturn]]) -> None:
        """Connect whenever it has failed, after a while that grows with the failures."""
        backoff = Backoff(self._patience)
        clock = asyncio.get_running_loop().time
        logged = ""
        while True:
            began = clock()
            try:
                await apart(connect())
            except self.ends:
                raise
            except CallFailed as error:
                reason = str(error)
            # Whatever went wrong with one person, others' composites go on.
            except Exception as error:
                if repr(error) != logged:
                    logger.exception("%s: %s failed unexpectedly", self.title, what)
                logged = repr(error)
                reason = f"it failed here ({type(error).__name__}); the log says why"
            if clock() - began >= self._patience.settled:
                backoff.reset()
            wait = backoff.next()
            self.say(f"{what}: {reason}; again in {wait:.0f} s")
            await asyncio.sleep(wait)

    def say(self, line: str) -> None:
        """Tell people something of this person."""
        self._tell(f"{self.title}: {line}")

    def _hear(self, event: events.Event) -> None:
        if isinstance(event, events.Notice):
            self.say(f"{event.level}: {event.text}")
        elif isinstance(event, events.PlateChanged):
            self.say(f"plate: {event.state}")


class Keys:
    """Of people's streams: who comes back while theirs lingers finds plate and backdrop."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._known: dict[str, str] = {}

    def of(self, stream: str) -> str:
        """The key of the stream of this name, made where there is none."""
        # Those of streams that are no more open nothing.
        self._known = {
            name: key for name, key in self._known.items() if self._worker.stream(name) is not None
        }
        return self._known.setdefault(stream, secrets.token_urlsafe(24))

    def __len__(self) -> int:
        return len(self._known)


def stream_name(room: str, who: str) -> str:
    """Somebody's stream: names of streams hold letters, digits, `-` and `_`, people's anything."""
    plain = "".join(c for c in who if c.isascii() and (c.isalnum() or c in "-_"))
    if plain == who and len(who) <= 48:
        return f"{room}-{who}"
    digest = hashlib.sha256(who.encode()).hexdigest()[:12]
    return f"{room}-{plain[:40]}-{digest}"

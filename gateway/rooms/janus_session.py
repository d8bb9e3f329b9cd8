"""Janus's API over a WebSocket: one session, its handles, requests and events.

A WebSocket rather than long polls over HTTP: events arrive as they happen, one connection carries
all handles, and a server that is gone shows at once. https://janus.conf.meetecho.com/docs/rest.html
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NoReturn

import aiohttp
from yarl import URL

from gateway.owned_tasks import OwnedTasks
from gateway.rooms.janus_messages import Message, Mistakes, Refusal, Said, read_message

PROTOCOL: Final = "janus-protocol"
PLUGIN: Final = "janus.plugin.videoroom"
ANSWERING: Final = 10.0
"""Seconds that a request may take."""
KEEPING_ALIVE: Final = 25.0
"""Seconds between two signs of life; Janus forgets a session after 60 without one."""
LONGEST: Final = 256 * 1024
"""Bytes of a message; a room of 50 with its descriptions stays below 100 KiB."""
WAITING: Final = 256
"""Events of one handle that nobody has looked at yet."""
ENDED: Final = frozenset({"hangup", "detached"})
NO_SESSION: Final = 458
"""Janus's code for a session that it does not know."""
UNSAID: Final = "it does not say why"


class JanusLost(Exception):
    """The server, or the way to it, is gone; the message says how that showed."""


class JanusRefused(Exception):
    """Janus, or its plugin, says no, or nothing that helps whoever asked; the message says what."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason if code is None else f"{reason} ({code})")
        self.code = code


@dataclass(frozen=True, slots=True)
class Reply:
    """What the plugin answered, or said by itself."""

    data: Said
    jsep: str | None = None
    """A session description, if one came along."""


class Janus:
    """An async context manager: a session, until the block is left or Janus is gone."""

    def __init__(
        self,
        url: URL,
        *,
        token: str | None = None,
        secret: str | None = None,
        mistakes: Mistakes | None = None,
    ) -> None:
        """`ws://HOST:8188` or `wss://`; `token` and `secret` where Janus asks for them.

        `mistakes` are those that were told already.
        """
        self._url = url
        self._mistakes = mistakes or Mistakes()
        self._patience = ANSWERING
        self._credentials = {
            name: value for name, value in (("token", token), ("apisecret", secret)) if value
        }
        self._stack = contextlib.AsyncExitStack()
        self._tasks = OwnedTasks()
        self._socket: aiohttp.ClientWebSocketResponse
        self._session: int | None = None
        self._asked: dict[str, asyncio.Future[Message]] = {}
        self._handles: dict[int, Handle] = {}
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Janus:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_exit(self._stack)
            http = await self._stack.enter_async_context(aiohttp.ClientSession())
            try:
                async with asyncio.timeout(ANSWERING):
                    self._socket = await http.ws_connect(
                        self._url,
                        protocols=(PROTOCOL,),
                        max_msg_size=LONGEST,
                        # Shows within half of it that nobody is there any more.
                        heartbeat=10.0,
                    )
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise JanusLost(f"it cannot be reached: {error or 'no answer'}") from error
            self._stack.push_async_callback(self._socket.close)
            if self._socket.protocol != PROTOCOL:
                raise JanusLost("it is a WebSocket, but does not speak Janus's protocol")
            self._stack.push_async_callback(self._tasks.close)
            self._tasks.start(self._read())
            self._session = _made(await self.request("create"))
            self._tasks.start(self._keep_alive())
            stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Everybody in the rooms sees us leave at once, instead of a minute later.
        with contextlib.suppress(JanusLost, JanusRefused):
            await self.request("destroy")
        self._lose("the session was closed")
        await self._stack.aclose()

    async def lost(self) -> NoReturn:
        """Wait until the server is gone; raises `JanusLost`."""
        await asyncio.shield(self._lost)
        raise AssertionError("it is never set to a result")

    async def attach(self, *, listening: bool = False) -> Handle:
        """A new handle on the VideoRoom plugin; raises `JanusLost` or `JanusRefused`.

        `listening` says whether somebody waits for its events: every publisher is told of all
        others, and what nobody reads would pile up.
        """
        number = _made(await self.request("attach", plugin=PLUGIN))
        handle = Handle(self, number, listening=listening)
        self._handles[handle.id] = handle
        return handle

    def forget(self, handle: Handle) -> None:
        """Take no more events for it."""
        self._handles.pop(handle.id, None)

    async def request(self, kind: str, **fields: Any) -> Message:
        """Ask and wait for the answer; raises `JanusLost` or `JanusRefused`.

        No answer is the latter: a server that is gone shows by its heartbeat, and one that is
        silent to one request may still serve everybody else.
        """
        name = secrets.token_hex(8)
        message = {"janus": kind, "transaction": name, **self._credentials, **fields}
        if self._session is not None:
            message["session_id"] = self._session
        self._raise_if_lost()
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked[name] = answer
        try:
            async with asyncio.timeout(self._patience):
                await self._socket.send_json(message)
                return await answer
        except TimeoutError:
            raise JanusRefused(f"no answer to {kind} within {self._patience:g} s") from None
        except (ConnectionError, aiohttp.ClientError) as error:
            raise JanusLost(f"the connection broke: {error}") from error
        finally:
            del self._asked[name]

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    said = read_message(message.data, self._mistakes)
                    if said is not None:
                        self._take(said)
        finally:
            self._lose("the connection ended")

    def _take(self, message: Message) -> None:
        kind = message.janus
        asked = self._asked.get(message.transaction or "")
        if kind == "ack" and (asked is None or message.session_id is not None):
            # The answer to a message follows; one to a sign of life does not matter.
            return
        refusal = message.error or Refusal()
        if kind == "timeout" or (kind == "error" and refusal.code == NO_SESSION):
            self._lose("it forgot the session")
        elif asked is not None and not asked.done():
            if kind == "error":
                asked.set_exception(JanusRefused(refusal.reason or UNSAID, refusal.code))
            else:
                asked.set_result(message)
        elif (handle := self._handles.get(message.sender or 0)) is not None:
            handle.take(message)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEPING_ALIVE)
            message = {
                "janus": "keepalive",
                "session_id": self._session,
                "transaction": secrets.token_hex(8),
                **self._credentials,
            }
            try:
                await self._socket.send_json(message)
            except (ConnectionError, aiohttp.ClientError) as error:
                self._lose(f"the connection broke: {error}")
                return

    def _raise_if_lost(self) -> None:
        if self._lost.done():
            raise self._lost.exception() or JanusLost("the session was closed")

    def _lose(self, reason: str) -> None:
        if self._lost.done():
            return
        self._lost.set_exception(JanusLost(reason))
        # Whether or not anybody waits for it.
        self._lost.exception()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(JanusLost(reason))
        for handle in self._handles.values():
            handle.end(JanusLost(reason))


class Handle:
    """One participation in a room: a publisher's, or a subscriber's."""

    def __init__(self, janus: Janus, number: int, *, listening: bool) -> None:
        self.id = number
        self._listening = listening
        self._janus = janus
        self._said: deque[Reply] = deque()
        self._news = asyncio.Event()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def ask(self, body: dict[str, Any], jsep: dict[str, Any] | None = None) -> Reply:
        """Send the plugin a request; raises `JanusLost` or `JanusRefused`."""
        fields: dict[str, Any] = {"handle_id": self.id, "body": body}
        if jsep is not None:
            fields["jsep"] = jsep
        reply = _read(await self._janus.request("message", **fields))
        said = reply.data
        if said.error_code is not None or said.error is not None:
            raise JanusRefused(said.error or UNSAID, said.error_code)
        return reply

    async def event(self) -> Reply:
        """The next thing that the plugin says by itself; raises `JanusLost` after the last one."""
        while not self._said:
            if self._over.done():
                raise self._over.exception() or JanusLost("the handle was closed")
            self._news.clear()
            await self._news.wait()
        return self._said.popleft()

    async def over(self) -> NoReturn:
        """Wait until Janus hangs up or detaches it; raises `JanusLost`."""
        await asyncio.shield(self._over)
        raise AssertionError("it is never set to a result")

    async def detach(self) -> None:
        """Leave; whatever it published is gone. Without effect when Janus is gone."""
        self._janus.forget(self)
        with contextlib.suppress(JanusLost, JanusRefused):
            await self._janus.request("detach", handle_id=self.id)
        self.end(JanusLost("the handle was closed"))

    def take(self, message: Message) -> None:
        """Something that Janus said of this handle."""
        if message.janus in ENDED:
            self.end(JanusLost(f"Janus ended it: {message.reason or message.janus}"))
        elif message.janus == "event" and self._listening:
            if len(self._said) >= WAITING:
                self.end(JanusLost(f"more than {WAITING} events came at once"))
                return
            self._said.append(_read(message))
            self._news.set()

    def end(self, reason: JanusLost) -> None:
        """Nothing more comes."""
        if not self._over.done():
            self._over.set_exception(reason)
            self._over.exception()
            self._news.set()


def _made(answer: Message) -> int:
    """The number of what was asked for; raises `JanusRefused`."""
    if answer.data is None:
        raise JanusRefused("it does not say which number it gave")
    return answer.data.id


def _read(message: Message) -> Reply:
    return Reply(message.said, None if message.jsep is None else message.jsep.sdp)

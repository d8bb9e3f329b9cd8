"""Janus, the WebRTC server of Meetecho, with a VideoRoom of ours."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.sfu.private_network import ADDRESS
from tests.sfu.program import running

LIBRARIES = {
    "plugins": "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall "
    "videoroom voicemail",
    "transports": "http mqtt nanomsg pfunix rabbitmq websockets",
}


def _libraries(kind: str, *, but: str) -> str:
    names = set(LIBRARIES[kind].split()) - set(but.split())
    return ",".join(f"libjanus_{name}.so" for name in sorted(names))


API = "http://127.0.0.1:8088/janus"
CONFIGURATION = {
    "janus": f"""
general: {{ interface = "{ADDRESS}" }}
plugins: {{ disable = "{_libraries("plugins", but="videoroom")}" }}
transports: {{ disable = "{_libraries("transports", but="http websockets")}" }}
""",
    "janus.transport.http": """general: { http = true, port = 8088, base_path = "/janus" }""",
    "janus.transport.websockets": "general: { ws = true, ws_port = 8188 }",
}
"""Only what is needed: the stock transport over nanomsg shares a socket in /tmp with any other
Janus of the machine, and brings this one down."""
ROOM = 4321
"""Not the stock room 1234: that one is capped at 128 kbit/s."""


PATIENCE = 90
"""Seconds until somebody who connects publishes."""


class Janus:
    """Its HTTP API, with one handle on the VideoRoom plugin."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._handle = API

    async def __aenter__(self) -> "Janus":
        session = await self._ask(API, janus="create")
        handle = await self._ask(
            f"{API}/{session['data']['id']}", janus="attach", plugin="janus.plugin.videoroom"
        )
        self._handle = f"{API}/{session['data']['id']}/{handle['data']['id']}"
        return self

    async def __aexit__(self, *_: object) -> None:
        # Its own time-out (60 s) would do it too; the process ends before that.
        with contextlib.suppress(aiohttp.ClientError):
            await self._ask(self._handle.rpartition("/")[0], janus="destroy")

    async def create_room(self) -> None:
        """A room for six publishers at 8 Mbit/s."""
        created = await self._room(
            request="create",
            room=ROOM,
            publishers=6,
            bitrate=8_000_000,
            videocodec="vp8,h264",
            videoorient_ext=False,
        )
        assert created["videoroom"] == "created", created

    async def publishers(self) -> dict[str, int]:
        """Who publishes: ids by the names they show."""
        found = await self._room(request="listparticipants", room=ROOM)
        return {
            each["display"]: int(each["id"])
            for each in found["participants"]
            if each.get("publisher")
        }

    async def publisher(self, name: str) -> int:
        """The id of who publishes under this name, as soon as they do."""
        for _ in range(PATIENCE * 5):
            if name in (there := await self.publishers()):
                return there[name]
            await asyncio.sleep(0.2)
        raise AssertionError(f"{name} did not publish within {PATIENCE} s; there: {there}")

    async def _room(self, **body: Any) -> dict[str, Any]:
        answer = await self._ask(self._handle, janus="message", body=body)
        data: dict[str, Any] = answer["plugindata"]["data"]
        return data

    async def _ask(self, url: str, **message: Any) -> dict[str, Any]:
        message["transaction"] = secrets.token_hex(8)
        async with self._http.post(url, json=message) as response:
            answer: dict[str, Any] = await response.json()
        assert answer["janus"] == "success", answer
        return answer


@contextlib.asynccontextmanager
async def janus(folder: Path) -> AsyncIterator[Janus]:
    """Janus with the room, until the end of the block."""
    configuration = folder / "janus"
    configuration.mkdir()
    for name, text in CONFIGURATION.items():
        (configuration / f"{name}.jcfg").write_text(text)
    command = ["janus", "-F", configuration, "-d", "4"]
    async with running("janus", command, folder) as program:
        await program.until_ready(f"{API}/info")
        async with aiohttp.ClientSession() as http, Janus(http) as api:
            await api.create_room()
            yield api

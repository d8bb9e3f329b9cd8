"""The real application on a free port, and aiortc clients of it on 127.0.0.1."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import numpy as np
from aiohttp.test_utils import TestServer
from aiortc import MediaStreamError, MediaStreamTrack, RTCRtpSender, RTCSessionDescription
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from av import VideoFrame

from gateway import events
from gateway.app import WORKER, create_app
from gateway.gallery import BuiltIn
from gateway.matting import Engine, ScriptedEngine
from gateway.pictures import encode_jpeg
from gateway.settings import Settings
from gateway.transport.connection import Connection, Tuning
from gateway.transport.encoders import Downlink
from gateway.transport.sound import Sound
from gateway.worker import Worker
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.paced_camera import PacedCamera
from tests.gateway.tone import Tone

TUNING = Tuning(
    addresses=["127.0.0.1"],
    uplink=4_000_000,
    downlink=Downlink(2_000_000, 300_000, 8_000_000),
    largest=(4096, 4096),
)


@dataclass
class Screen:
    """Looks at a received track all the time."""

    frames: list[np.ndarray] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0
    sounds: list[Sound] = field(default_factory=list)

    async def watch(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame: Any = await track.recv()
                self.count += 1
                if isinstance(frame, Sound):
                    self.sounds.append(frame)
                if isinstance(frame, VideoFrame):
                    self.frames = [*self.frames[-60:], frame.to_ndarray(format="yuv420p")]
                    self.sizes.append((frame.width, frame.height))

    @property
    def corner(self) -> float:
        """Mean luma of a corner, where no person is."""
        return float(self.frames[-1][4:24, 4:24].mean())

    @property
    def centre(self) -> float:
        """Mean luma of the middle, where the person is."""
        height, width = self.frames[-1].shape[0] * 2 // 3, self.frames[-1].shape[1]
        h, w = height // 2, width // 2
        return float(self.frames[-1][h - 10 : h + 10, w - 10 : w + 10].mean())


async def until(condition: Any, seconds: float = 8.0, what: str = "") -> None:
    """Wait for a condition that no event announces."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.02)


def sounding(name: str) -> list[RTCRtpCodecCapability]:
    """This codec alone, for `setCodecPreferences`."""
    known = RTCRtpSender.getCapabilities("audio").codecs
    return [each for each in known if each.name.lower() == name]


class Client:
    """A WebRTC client: the page, or somebody who watches."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.connection = Connection(TUNING)
        self.screen = Screen()
        self.sound = Screen()
        self.events: list[Any] = []
        self.location = ""
        self.etag = ""
        self.key = ""
        self.stream = ""
        self.answer = ""
        self.camera: PacedCamera | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.connection.on("track", self._receive)

    def _receive(self, track: MediaStreamTrack) -> None:
        screen = self.screen if track.kind == "video" else self.sound
        self._tasks.append(asyncio.create_task(screen.watch(track)))

    async def offer_publishing(
        self,
        *,
        back: bool = True,
        audio: bool = False,
        camera: PacedCamera | None = None,
        microphone: MediaStreamTrack | None = None,
    ) -> str:
        """An offer as the page makes it; with `back=False` as any WHIP client."""
        direction = "sendrecv" if back else "sendonly"
        self.camera = camera or GreyCamera()
        self.connection.addTransceiver(self.camera, direction)
        if audio or microphone is not None:
            self.connection.addTransceiver(microphone or Tone(), direction)
        if back:
            self._listen()
        return await self._offer()

    def _listen(self) -> None:
        channel = self.connection.createDataChannel(events.LABEL)
        channel.on("message", lambda text: self.events.append(events.decode(text)))

    async def offer_watching(
        self, *, audio: bool = False, sound: str = "opus", page: bool = False
    ) -> str:
        """An offer of any WHEP client's; with `page` as our page makes it."""
        self.connection.addTransceiver("video", "recvonly")
        if audio:
            transceiver = self.connection.addTransceiver("audio", "recvonly")
            transceiver.setCodecPreferences(sounding(sound))
        if page:
            self._listen()
        return await self._offer()

    async def _offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def send(self, path: str, offer: str, **headers: str) -> aiohttp.ClientResponse:
        headers = {"Content-Type": "application/sdp", **headers}
        response = await self.http.post(path, data=offer, headers=headers)
        self.answer = await response.text()
        return response

    async def accept(self, response: aiohttp.ClientResponse) -> None:
        assert response.status == 201, self.answer
        self.location = response.headers["Location"]
        self.etag = response.headers["ETag"]
        self.key = response.headers.get("Cleanplate-Key", "")
        self.stream = self.location.split("/")[2]
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))

    async def publish(self, path: str = "/whip", key: str | None = None, **options: Any) -> None:
        headers = {} if key is None else {"Cleanplate-Key": key}
        offer = await self.offer_publishing(**options)
        await self.accept(await self.send(path, offer, **headers))

    async def watch(self, stream: str, **options: Any) -> None:
        await self.accept(await self.send(f"/whep/{stream}", await self.offer_watching(**options)))

    async def call(self, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
        """A call about the own stream, with its key."""
        headers = {"Cleanplate-Key": self.key, **options.pop("headers", {})}
        return await self.http.request(
            method, f"/streams/{self.stream}{path}", headers=headers, **options
        )

    async def capture(self) -> dict[str, Any]:
        await self.video(5)
        response = await self.call("POST", "/plate")
        assert response.status == 200, await response.text()
        report: dict[str, Any] = await response.json()
        return report

    async def colour(self, rgb: str) -> None:
        response = await self.call("PUT", "/backdrop", json={"kind": "colour", "rgb": rgb})
        assert response.status == 204, await response.text()

    async def video(self, more: int = 1) -> None:
        """Wait until `more` frames have come."""
        wanted = self.screen.count + more
        await until(lambda: self.screen.count >= wanted, what=f"{more} frames")

    def seen(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]

    def vanish(self) -> None:
        """Lose the network: nothing is sent any more, not even a goodbye."""
        for transceiver in self.connection.getTransceivers():
            ice = transceiver.receiver.transport.transport._connection
            for protocol in ice._protocols:
                protocol.transport.sendto = lambda *_: None  # type: ignore[method-assign]

    async def close(self) -> None:
        await self.connection.close()
        await self.connection.join_decoders()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@dataclass
class Gateway:
    """A running application."""

    http: aiohttp.ClientSession
    engine: ScriptedEngine
    worker: Worker
    server: TestServer
    clients: list[Client] = field(default_factory=list)

    def client(self) -> Client:
        self.clients.append(Client(self.http))
        return self.clients[-1]


def small_gallery(folder: Path) -> tuple[BuiltIn, ...]:
    """Two flat pictures."""
    pictures = []
    for name, luma in (("dark", 40), ("light", 200)):
        path = folder / f"{name}.jpg"
        path.write_bytes(encode_jpeg(np.full((90, 160, 3), luma, np.uint8)))
        pictures.append(BuiltIn(name, name.title(), path))
    return tuple(pictures)


@contextlib.asynccontextmanager
async def running(
    folder: Path, engine: Engine | None = None, **settings: Any
) -> AsyncIterator[Gateway]:
    """The application, with a scripted engine or this one; everything is closed at the end."""
    engine = engine or ScriptedEngine()
    chosen = Settings(**{"host_addresses": ("127.0.0.1",), "freeze": 0.3, **settings})
    app = create_app(chosen, engine, gallery=small_gallery(folder), page=folder)
    server = TestServer(app)
    await server.start_server()
    try:
        async with aiohttp.ClientSession(server.make_url("/")) as http:
            # Who brings another engine does not ask the gateway for it.
            gateway = Gateway(http, cast(ScriptedEngine, engine), app[WORKER], server)
            try:
                yield gateway
            finally:
                await asyncio.gather(*(client.close() for client in gateway.clients))
    finally:
        if isinstance(engine, ScriptedEngine):
            engine.release()
        await server.close()
        await asyncio.to_thread(engine.close)

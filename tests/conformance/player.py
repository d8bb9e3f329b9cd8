"""A client with media: a moving test picture to publish, and somebody who counts what comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from av import VideoFrame

from tests.conformance.case import Failed, expect
from tests.conformance.endpoint import FRAGMENT, SDP, Endpoint, Reply

CONNECTING: Final = 10.0
"""Seconds."""
GRANTED: Final = (200, 204)


class MovingBar(VideoStreamTrack):
    """A bright bar that wanders over a grey ramp, 320x240 at 30 frames per second."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = 0

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        luma = np.tile(np.linspace(60, 180, 320).astype(np.uint8), (240, 1))
        left = self._shown * 4 % 288
        luma[:, left : left + 32] = 235
        chroma = np.full((120, 320), 128, np.uint8)
        frame = VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
        frame.pts, frame.time_base = pts, time_base
        self._shown += 1
        return frame


class Player:
    """One connection to an endpoint; `publish` or `watch` opens it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.url = ""
        """The session's, once it is open."""
        self.etag = ""
        self.answer = ""
        self.frames = 0
        """Video frames that came."""
        self.size = (0, 0)
        self._came = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.connection = self._connect()

    def _connect(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        connection.on("track", self._receive)
        return connection

    async def open(
        self,
        *,
        audio: bool = False,
        data: bool = False,
        setup: str = "actpass",
        trickle: bool = False,
    ) -> None:
        """Exchange descriptions; raises `Failed`. With `trickle` candidates come in a `PATCH`."""
        for kind in ("audio", "video") if audio else ("video",):
            if self.endpoint.kind == "whep":
                self.connection.addTransceiver(kind, "recvonly")
            else:
                track: MediaStreamTrack = MovingBar() if kind == "video" else AudioStreamTrack()
                self.connection.addTransceiver(track, "sendonly")
        if data:
            self.connection.createDataChannel("conformance")
        await self._describe(await self.connection.createOffer())
        offer = self.connection.localDescription.sdp.replace("setup:actpass", f"setup:{setup}")
        sent = _without_candidates(offer) if trickle else offer
        reply = await self.endpoint.post(sent)
        if self.endpoint.kind == "whep" and reply.status == 406:
            await self._answer_counter_offer(reply)
            return
        expect(reply.status == 201, f"an offer is answered {reply}")
        self._enter(reply)
        self.answer = reply.text
        await self.connection.setRemoteDescription(RTCSessionDescription(reply.text, "answer"))
        if trickle:
            patched = await self.endpoint.call(
                "PATCH",
                self.url,
                _fragment(offer),
                Content_Type=FRAGMENT,
                If_Match=self.etag or "*",
            )
            expect(patched.status == 204, f"trickled candidates are answered {patched}")

    async def _answer_counter_offer(self, reply: Reply) -> None:
        expect(reply.type == SDP, f"a counter-offer's type is {reply.type!r}")
        self._enter(reply)
        # The offer that was made is void; its connection cannot take another one.
        await self.connection.close()
        self.connection = self._connect()
        await self.connection.setRemoteDescription(RTCSessionDescription(reply.text, "offer"))
        await self._describe(await self.connection.createAnswer())
        self.answer = self.connection.localDescription.sdp
        headers = {"If_Match": self.etag} if self.etag else {}
        patched = await self.endpoint.call(
            "PATCH", self.url, self.answer, Content_Type=SDP, **headers
        )
        expect(patched.status in GRANTED, f"the answer to a counter-offer is answered {patched}")

    def _enter(self, reply: Reply) -> None:
        self.url = self.endpoint.session_url(reply)
        self.etag = reply.headers.get("ETag", "")

    async def _describe(self, description: Any) -> None:
        if urlsplit(self.endpoint.template).hostname in ("127.0.0.1", "localhost", "::1"):
            gather_on_loopback(self.connection)
        await self.connection.setLocalDescription(description)

    async def connected(self) -> None:
        """Wait until media can flow; raises `Failed`."""
        await self._until("connected", f"it does not connect within {CONNECTING:.0f} s")

    async def left(self) -> None:
        """Wait until the server has said goodbye; raises `Failed`."""
        await self._until("closed", f"the connection stands {CONNECTING:.0f} s after its end")

    async def _until(self, state: str, otherwise: str) -> None:
        changed = asyncio.Event()
        self.connection.on("connectionstatechange", changed.set)
        try:
            async with asyncio.timeout(CONNECTING):
                while (found := self.connection.connectionState) != state:
                    expect(found not in ("failed", "closed"), f"the connection {found}")
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            raise Failed(otherwise) from None

    async def video(self, frames: int) -> None:
        """Wait for this many frames; raises `Failed`."""
        try:
            async with asyncio.timeout(CONNECTING):
                while self.frames < frames:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise Failed(f"{self.frames} frames came within {CONNECTING:.0f} s") from None

    async def close(self) -> None:
        """End the session at both sides."""
        if self.url:
            await self.endpoint.call("DELETE", self.url)
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _receive(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._look(track)))

    async def _look(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, VideoFrame):
                    self.frames += 1
                    self.size = (frame.width, frame.height)
                    self._came.set()


@contextlib.asynccontextmanager
async def playing(endpoint: Endpoint, **options: Any) -> AsyncIterator[Player]:
    """A connected player, closed at the end; `options` are those of `Player.open`."""
    player = Player(endpoint)
    try:
        await player.open(**options)
        await player.connected()
        yield player
    finally:
        await player.close()


def _without_candidates(offer: str) -> str:
    lines = offer.split("\r\n")
    return "\r\n".join(line for line in lines if not line.startswith(("a=candidate", "a=end-of")))


def _fragment(offer: str) -> str:
    # The section that owns the bundle's transport is the first one.
    head, _, first = offer.partition("\r\nm=")
    lines = [f"m={first}".split("\r\n")[0]]
    wanted = ("a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates")
    section = first.partition("\r\nm=")[0].split("\r\n")
    lines += [line for line in section if line.startswith(wanted)]
    group = [line for line in head.split("\r\n") if line.startswith("a=group:")]
    return "\r\n".join([*group, *lines]) + "\r\n"


def gather_on_loopback(connection: RTCPeerConnection) -> None:
    """Add 127.0.0.1, which aioice leaves out, to a connection's addresses."""
    transports = {t.receiver.transport.transport for t in connection.getTransceivers()}
    if connection.sctp is not None:
        transports.add(connection.sctp.transport.transport)
    for transport in transports:
        ice = transport._connection
        if getattr(ice, "on_loopback", False):
            continue
        ice.on_loopback = True
        gather = ice.get_component_candidates

        async def ours(
            component: int, addresses: list[str], *more: Any, gather: Any = gather, **named: Any
        ) -> Any:
            return await gather(component, ["127.0.0.1", *addresses], *more, **named)

        ice.get_component_candidates = ours

"""Somebody's visit to our own LiveKit: their signalling, and a peer connection for each direction.

The client offers what it publishes, the server what the client has subscribed to.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web
from aiortc import MediaStreamError, MediaStreamTrack, RTCRtpTransceiver, RTCSessionDescription, sdp
from livekit.protocol import models, rtc

from gateway.owned_tasks import OwnedTasks
from gateway.transport.connection import Connection
from tests.gateway.loopback import TUNING, Screen


class Composite:
    """A track that a visitor publishes."""

    def __init__(self, info: models.TrackInfo) -> None:
        self.info = info
        self.screen = Screen()
        self.corners: list[float] = []
        """Mean luma of the corner, where no person is, in all pictures that came."""

    @property
    def name(self) -> str:
        return self.info.name

    async def watch(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                self.screen.count += 1
                pixels = frame.to_ndarray(format="yuv420p")
                self.screen.frames = [*self.screen.frames[-60:], pixels]
                self.corners.append(self.screen.corner)


class Renegotiable(Connection):
    """Keeps an encoder once it is chosen: the next one would count its pictures from elsewhere,
    and receivers take such pictures for late ones."""

    def __init__(self) -> None:
        super().__init__(TUNING)
        self._chosen: set[RTCRtpTransceiver] = set()

    def _choose_encoder(self, transceiver: RTCRtpTransceiver) -> None:
        if transceiver not in self._chosen:
            self._chosen.add(transceiver)
            super()._choose_encoder(transceiver)


class Visit:
    """One participant while connected; `requests` is all that they asked."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        sids: "itertools.count[int]",
        open_camera: Callable[[str], tuple[str, MediaStreamTrack] | None],
    ) -> None:
        """`open_camera` gives the owner's sid and the video of a track, if it is there."""
        self.composites: list[Composite] = []
        """Those whose media are negotiated."""
        self.answers = 0
        """How many offers were answered."""
        self.requests: list[rtc.SignalRequest] = []
        self.prompt = asyncio.Event()
        """Cleared, it keeps who publishes waiting for LiveKit's word."""
        self.prompt.set()
        self._socket = socket
        self._sids = sids
        self._open_camera = open_camera
        self._up, self._down = Renegotiable(), Renegotiable()
        self._agreed = asyncio.Event()
        """Cleared while an offer of ours is not answered."""
        self._turn = asyncio.Lock()
        self._early: list[rtc.TrickleRequest] = []
        """Candidates that came before the first answer."""
        self._added: dict[str, Composite] = {}
        """By the client's own id of the track."""
        self._sending: dict[str, RTCRtpTransceiver] = {}
        """By the sid of the track."""
        self._tasks = OwnedTasks()

    def asked(self, kind: str) -> list[Any]:
        """What was asked in messages of this kind."""
        return [getattr(each, kind) for each in self.requests if each.WhichOneof("message") == kind]

    async def say(self, **message: Any) -> None:
        """Send one message."""
        if not self._socket.closed:
            await self._socket.send_bytes(rtc.SignalResponse(**message).SerializeToString())

    async def begin(self) -> None:
        """Make the first offer: the client is in the room once it is connected."""
        for label in ("_reliable", "_lossy"):
            self._down.createDataChannel(label)
        await self._offer()

    async def hear(self, request: rtc.SignalRequest) -> None:
        """Do as asked."""
        self.requests.append(request)
        handlers: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
            "offer": self._answer,
            "answer": self._accept,
            "trickle": self._trickle,
            "add_track": self._publish,
            "subscription": self._subscribe,
            "ping_req": self._pong,
        }
        kind = request.WhichOneof("message")
        if kind in handlers:
            await handlers[kind](getattr(request, kind))

    async def _offer(self) -> None:
        self._agreed.clear()
        await self._down.setLocalDescription(await self._down.createOffer())
        offer = self._down.localDescription.sdp
        await self.say(offer=rtc.SessionDescription(type="offer", sdp=offer))

    async def _accept(self, answer: rtc.SessionDescription) -> None:
        await self._down.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        self._agreed.set()
        while self._early:
            await self._trickle(self._early.pop())

    async def _answer(self, offer: rtc.SessionDescription) -> None:
        await self._up.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        await self._up.setLocalDescription(await self._up.createAnswer())
        answer = self._up.localDescription.sdp
        await self.say(answer=rtc.SessionDescription(type="answer", sdp=answer, id=offer.id))
        self._look(offer.sdp)
        self.answers += 1

    async def _publish(self, wish: rtc.AddTrackRequest) -> None:
        sid = f"TR_{next(self._sids)}"
        info = models.TrackInfo(
            sid=sid,
            type=wish.type,
            name=wish.name,
            source=wish.source,
            width=wish.width,
            height=wish.height,
        )
        self._added[wish.cid] = Composite(info)

        async def confirm() -> None:
            await self.prompt.wait()
            await self.say(track_published=rtc.TrackPublishedResponse(cid=wish.cid, track=info))

        self._tasks.start(confirm())

    async def _subscribe(self, wish: rtc.UpdateSubscription) -> None:
        for sid in wish.track_sids:
            if not wish.subscribe and sid in self._sending:
                section = self._sending.pop(sid)
                section.sender.replaceTrack(None)
                section.direction = "inactive"
            elif wish.subscribe and sid not in self._sending:
                if (opened := self._open_camera(sid)) is None:
                    continue
                owner, track = opened
                section = self._sending[sid] = self._down.addTransceiver(track, "sendonly")
                # By the names of the stream and the track clients find out whose it is.
                section.sender._stream_id, section.sender._track_id = f"{owner}|{sid}", sid
            self._tasks.start(self._renegotiate())

    async def _renegotiate(self) -> None:
        async with self._turn:
            await self._agreed.wait()
            await self._offer()

    async def _trickle(self, wish: rtc.TrickleRequest) -> None:
        found = json.loads(wish.candidateInit)
        if not found["candidate"]:
            return
        candidate = sdp.candidate_from_sdp(found["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = found["sdpMid"], found["sdpMLineIndex"]
        connection = self._down if wish.target == rtc.SUBSCRIBER else self._up
        if connection.remoteDescription is None:
            self._early.append(wish)
            return
        await connection.addIceCandidate(candidate)

    async def _pong(self, ping: rtc.Ping) -> None:
        await self.say(pong_resp=rtc.Pong(last_ping_timestamp=ping.timestamp))

    def _look(self, offer: str) -> None:
        """At the tracks that are sent by this offer."""
        sections = {each.mid: each for each in self._up.getTransceivers()}
        before, self.composites = self.composites, []
        for media in sdp.SessionDescription.parse(offer).media:
            if media.kind == "video" and media.direction in ("sendonly", "sendrecv"):
                composite = self._added[media.msid.split()[1]]
                self.composites.append(composite)
                if composite not in before:
                    track = sections[media.rtp.muxId].receiver.track
                    self._tasks.start(composite.watch(track))

    async def close(self) -> None:
        """Whatever they published is gone."""
        self.composites.clear()
        await self._tasks.close()
        for connection in (self._up, self._down):
            await connection.close()
            await connection.join_decoders()

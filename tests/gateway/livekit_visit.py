"""Somebody's visit to our own LiveKit: their signalling, and one peer connection for all media.

As LiveKit's servers do it for clients that come by `/rtc/v1`: the client makes every offer, and is
asked for another section where there is something to send it.
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

HEARTBEAT = 5
"""Seconds between a client's pings."""


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
        self._connection = Renegotiable()
        self._added: dict[str, Composite] = {}
        """By the client's own id of the track."""
        self._sending: dict[str, RTCRtpTransceiver] = {}
        """By the sid of the track."""
        self._wanted: list[str] = []
        """Sids of tracks that wait for a section."""
        self._tasks = OwnedTasks()

    def asked(self, kind: str) -> list[Any]:
        """What was asked in messages of this kind."""
        return [getattr(each, kind) for each in self.requests if each.WhichOneof("message") == kind]

    async def say(self, **message: Any) -> None:
        """Send one message."""
        if not self._socket.closed:
            await self._socket.send_bytes(rtc.SignalResponse(**message).SerializeToString())

    async def hear(self, request: rtc.SignalRequest) -> None:
        """Do as asked."""
        self.requests.append(request)
        handlers: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
            "offer": self.negotiate,
            "trickle": self._trickle,
            "add_track": self._publish,
            "subscription": self._subscribe,
            "ping_req": self._pong,
        }
        kind = request.WhichOneof("message")
        if kind in handlers:
            await handlers[kind](getattr(request, kind))

    async def negotiate(self, offer: rtc.SessionDescription) -> None:
        """Answer, with what is wanted in sections that are free."""
        await self._connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        for section in self._connection.getTransceivers():
            if self._wanted and section.kind == "video" and section._offerDirection == "sendonly":
                self._send(self._wanted.pop(0), section)
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        answer = rtc.SessionDescription(
            type="answer",
            sdp=self._connection.localDescription.sdp,
            id=offer.id,
            mid_to_track_id={section.mid: sid for sid, section in self._sending.items()},
        )
        await self.say(answer=answer)
        self._look(offer.sdp)
        self.answers += 1

    def _send(self, sid: str, section: RTCRtpTransceiver) -> None:
        opened = self._open_camera(sid)
        if opened is None:
            return
        owner, track = opened
        section.sender.replaceTrack(track)
        # By the stream's name clients find out whose track it is.
        section.sender._stream_id, section.sender._track_id = f"{owner}|{sid}", sid
        section.direction = "sendonly"
        self._sending[sid] = section

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
            if wish.subscribe and sid not in self._sending:
                self._wanted.append(sid)
                await self.say(
                    media_sections_requirement=rtc.MediaSectionsRequirement(num_videos=1)
                )
            elif not wish.subscribe and sid in self._sending:
                section = self._sending.pop(sid)
                section.sender.replaceTrack(None)
                section.direction = "inactive"

    async def _trickle(self, wish: rtc.TrickleRequest) -> None:
        found = json.loads(wish.candidateInit)
        if not found["candidate"]:
            return
        candidate = sdp.candidate_from_sdp(found["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = found["sdpMid"], found["sdpMLineIndex"]
        await self._connection.addIceCandidate(candidate)

    async def _pong(self, ping: rtc.Ping) -> None:
        await self.say(pong_resp=rtc.Pong(last_ping_timestamp=ping.timestamp))

    def _look(self, offer: str) -> None:
        """At the tracks that are sent by this offer."""
        sections = {each.mid: each for each in self._connection.getTransceivers()}
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
        await self._connection.close()
        await self._connection.join_decoders()
        await self._tasks.close()

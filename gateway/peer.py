"""One WebRTC connection that is closed on every way out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Final

from aiortc import (
    InvalidAccessError,
    InvalidStateError,
    MediaStreamTrack,
    RTCDataChannel,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InternalError, OperationError
from aiortc.sdp import candidate_from_sdp

from gateway import events
from gateway.counterpart import (
    BadAnswer,
    complete_answer,
    finish_offer,
    read_answer,
    read_counter_offer,
)
from gateway.sdp import BadOffer, Fragment, Offer, Reach
from gateway.simulcast import largest_layer
from gateway.stats import Arrivals
from gateway.transport.connection import Connection, Tuning

logger = logging.getLogger(__name__)

CLOSING: Final = 10.0
"""Seconds after which a connection that does not close is given up and reported."""
UNSENT: Final = 64 * 1024
"""Bytes of events waiting for a slow peer, beyond which further ones are dropped."""
CODECS: Final = ("VP8", "H264")
"""Of video that we offer, best first."""
BASELINE: Final = {"level-asymmetry-allowed": "1", "packetization-mode": "1"}
PROFILE: Final = "42e01f"
"""Of H.264: the constrained baseline, which every browser and SFU takes."""
UNREADABLE: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RuntimeError,  # a StopIteration inside a coroutine
    InternalError,
    InvalidAccessError,
    InvalidStateError,
)
"""What aiortc's parser raises on descriptions that it did not expect."""


class NotConnected(Exception):
    """The connection failed or ended before media could flow."""


class Peer:
    """An `RTCPeerConnection` as an async context manager; it answers one offer or makes one."""

    def __init__(
        self,
        tuning: Tuning,
        arrivals: Arrivals | None = None,
        *,
        reach: Reach | None = None,
        public_address: str | None = None,
    ) -> None:
        self._connection = Connection(tuning, arrivals)
        self._reach = reach or Reach()
        self._public_address = public_address
        self._offered = ""
        self._channel: RTCDataChannel | None = None
        self._changed = asyncio.Event()
        self._closed = False
        self.channel_opened = asyncio.Event()
        """Set when the page's data channel is there."""
        self._connection.on("connectionstatechange", self._changed.set)
        self._connection.on("datachannel", self._adopt)

    async def __aenter__(self) -> Peer:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def video(self) -> MediaStreamTrack | None:
        """The other side's video."""
        return self._incoming("video")

    @property
    def audio(self) -> MediaStreamTrack | None:
        """The other side's audio."""
        return self._incoming("audio")

    def lag(self) -> float | None:
        """Seconds after its capture at which the video that we send leaves, `None` before it does.

        An average over a second or two.
        """
        return self._connection.lag.seconds

    async def answer(
        self, offer: Offer, outgoing: Mapping[str, MediaStreamTrack], *, receive: bool = True
    ) -> str:
        """Take the offer and answer it, sending the given tracks by kind; raises `BadOffer`.

        A kind that is not in `outgoing`, or that the offer does not want to receive, is answered
        `recvonly`; without `receive` the others are `sendonly` even where the offer would send.
        """
        connection = self._connection
        try:
            await connection.setRemoteDescription(RTCSessionDescription(offer.text(), "offer"))
        except OperationError as error:
            raise BadOffer(
                "no-codec",
                "No codec in common (VP8, H.264 of the baseline profile with packetization-mode=1, "
                "Opus).",
                422,
            ) from error
        except UNREADABLE as error:
            raise BadOffer("malformed-sdp", "The offer could not be understood.") from error
        video = offer.section("video")
        if video is not None and (layer := largest_layer(video)) is not None:
            connection.choose_layer(layer.rid, layer.extension_id)
        directions = {section.mid: section.direction for section in offer.sections}
        unsent = dict(outgoing)
        for transceiver in connection.getTransceivers():
            wants = directions.get(transceiver.mid or "", "inactive")
            if transceiver.kind in unsent and wants in ("sendrecv", "recvonly"):
                transceiver.sender.replaceTrack(unsent.pop(transceiver.kind))
                both = receive and wants == "sendrecv"
                transceiver.direction = "sendrecv" if both else "sendonly"
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp

    async def counter(self, offer: str, outgoing: Mapping[str, MediaStreamTrack]) -> str:
        """Answer an offer that another server makes instead of answering; raises `BadOffer`.

        Held to less than those of our own endpoints, see `gateway.counterpart`.
        """
        answer = await self.answer(read_counter_offer(offer, reach=self._reach), outgoing)
        return complete_answer(answer, offer, public_address=self._public_address)

    async def offer(
        self,
        outgoing: Mapping[str, MediaStreamTrack],
        receive: Collection[str] = (),
        codecs: Sequence[str] = CODECS,
    ) -> str:
        """Offer to send these tracks by kind and to receive these kinds; all candidates are in it.

        `accept` takes the other side's answer.
        """
        connection = self._connection
        # Video first: it is never rejected, and the first section carries the transport.
        for kind in ("video", "audio"):
            track = outgoing.get(kind)
            if track is not None:
                direction = "sendrecv" if kind in receive else "sendonly"
                transceiver = connection.addTransceiver(track, direction)
            elif kind in receive:
                transceiver = connection.addTransceiver(kind, "recvonly")
            else:
                continue
            if kind == "video":
                transceiver.setCodecPreferences(_preferred(codecs))
        await connection.setLocalDescription(await connection.createOffer())
        self._offered = connection.localDescription.sdp
        return finish_offer(self._offered, public_address=self._public_address)

    async def accept(self, answer: str) -> None:
        """Take the answer to our offer; raises `BadAnswer`."""
        text = read_answer(answer, self._offered, reach=self._reach)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
        except OperationError as error:
            raise BadAnswer("its answer has no codec that was offered") from error
        except UNREADABLE as error:
            raise BadAnswer(f"its answer could not be understood: {error}") from error

    async def add_candidates(self, fragment: Fragment) -> None:
        """Take trickled candidates; those that cannot be parsed are dropped (RFC 9725)."""
        for line in fragment.candidates:
            try:
                candidate = candidate_from_sdp(line)
            except ValueError:
                continue
            candidate.sdpMid = fragment.mid
            await self._connection.addIceCandidate(candidate)

    def send(self, event: events.Event) -> None:
        """Send an event on the data channel; lost while there is none or it is congested."""
        channel = self._channel
        if channel is not None and channel.readyState == "open" and channel.bufferedAmount < UNSENT:
            channel.send(events.encode(event))

    async def connected(self) -> None:
        """Wait until media can flow; raises `NotConnected`."""
        while (state := self._connection.connectionState) != "connected":
            if state in ("failed", "closed"):
                raise NotConnected(self._failure(state))
            await self._next_change()

    async def ended(self) -> str:
        """Wait until the other side has gone; says, for people, how.

        It said goodbye, or consent expired (RFC 7675).
        """
        while self._connection.connectionState not in ("failed", "closed"):
            await self._next_change()
        if self._connection.consent_lost:
            return "the other side does not answer any more"
        return "the other side left"

    async def close(self) -> None:
        """Free everything; may be called more than once."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(CLOSING):
                await self._connection.close()
                await self._connection.join_decoders()
        except TimeoutError:
            logger.error("a connection did not close within %s s", CLOSING)

    def _failure(self, state: str) -> str:
        where = self._connection.failed_in
        if where is None:
            return f"the connection {state}"
        if where == "DTLS":
            # What its builds with GnuTLS make has no curve that others take.
            return "the connection failed in DTLS; FFmpeg may need -cert_file and -key_file"
        return f"the connection failed in {where}"

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _incoming(self, kind: str) -> MediaStreamTrack | None:
        tracks = (receiver.track for receiver in self._connection.getReceivers())
        return next((track for track in tracks if track is not None and track.kind == kind), None)

    def _adopt(self, channel: RTCDataChannel) -> None:
        if channel.label != events.LABEL or self._channel is not None:
            channel.close()
            return
        self._channel = channel
        self.channel_opened.set()


def _preferred(names: Sequence[str]) -> list[Any]:
    """Video codecs in this order, and retransmission, for `setCodecPreferences`."""
    capabilities = RTCRtpSender.getCapabilities("video").codecs
    # Of H.264 the profile that everybody has; aiortc knows an older one besides.
    baseline = {**BASELINE, "profile-level-id": PROFILE}
    return [
        *(
            each
            for name in names
            for each in capabilities
            if each.name == name and (name != "H264" or each.parameters == baseline)
        ),
        *(each for each in capabilities if each.name == "rtx"),
    ]

"""One WebRTC connection that is closed on every way out."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Final

from aiortc import (
    InvalidAccessError,
    InvalidStateError,
    MediaStreamTrack,
    RTCDataChannel,
    RTCSessionDescription,
)
from aiortc.exceptions import InternalError, OperationError
from aiortc.sdp import candidate_from_sdp

from gateway import events
from gateway.sdp import BadOffer, Fragment, Offer
from gateway.simulcast import largest_layer
from gateway.stats import Arrivals
from gateway.transport.connection import Connection, Tuning

logger = logging.getLogger(__name__)

CLOSING: Final = 10.0
"""Seconds after which a connection that does not close is given up and reported."""
UNSENT: Final = 64 * 1024
"""Bytes of events waiting for a slow peer, beyond which further ones are dropped."""


class NotConnected(Exception):
    """The connection failed or ended before media could flow."""


class Peer:
    """An `RTCPeerConnection` as an async context manager; it answers one offer."""

    def __init__(self, tuning: Tuning, arrivals: Arrivals | None = None) -> None:
        self._connection = Connection(tuning, arrivals)
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

    async def answer(self, offer: Offer, outgoing: dict[str, MediaStreamTrack]) -> str:
        """Take the offer and answer it, sending the given tracks by kind; raises `BadOffer`.

        A kind that is not in `outgoing`, or that the offer does not want to receive, is answered
        `recvonly`.
        """
        connection = self._connection
        try:
            await connection.setRemoteDescription(RTCSessionDescription(offer.text(), "offer"))
        except OperationError as error:
            raise BadOffer("no-codec", "No codec in common (VP8, H.264, Opus).", 422) from error
        except (
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            AssertionError,
            RuntimeError,  # a StopIteration inside a coroutine
            InternalError,
            InvalidAccessError,
            InvalidStateError,
        ) as error:
            # What aiortc's parser raises on descriptions that it did not expect.
            raise BadOffer("malformed-sdp", "The offer could not be understood.") from error
        video = offer.section("video")
        if video is not None and (layer := largest_layer(video)) is not None:
            connection.choose_layer(layer.rid, layer.extension_id)
        for transceiver in connection.getTransceivers():
            wants = (offer.section(transceiver.kind) or offer.sections[0]).direction
            track = outgoing.get(transceiver.kind)
            if track is not None and wants in ("sendrecv", "recvonly"):
                transceiver.sender.replaceTrack(track)
                transceiver.direction = "sendrecv" if wants == "sendrecv" else "sendonly"
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp

    async def add_candidates(self, fragment: Fragment) -> None:
        """Take trickled candidates; those that cannot be parsed are dropped (RFC 9725)."""
        for line in fragment.candidates:
            candidate = candidate_from_sdp(line)
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
                raise NotConnected(f"the connection {state}")
            await self._next_change()

    async def ended(self) -> None:
        """Wait until the other side has gone: it said goodbye, or consent expired (RFC 7675)."""
        while self._connection.connectionState not in ("failed", "closed"):
            await self._next_change()

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

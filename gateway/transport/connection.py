"""An `RTCPeerConnection` of aiortc 1.16 with this package's changes on it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aioice.ice import CONSENT_INTERVAL
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
    clock,
)
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters

from gateway.capture import SenderClock, Timeline
from gateway.owned_tasks import OwnedTasks
from gateway.simulcast import RID_URI
from gateway.stats import Arrivals
from gateway.transport import hidden
from gateway.transport.backlog import VIDEO_BACKLOG, Backlog, Decoded
from gateway.transport.candidates import use_addresses
from gateway.transport.ciphers import take_either
from gateway.transport.consent import Consent
from gateway.transport.encoded import EncodedTrack, send_encoded
from gateway.transport.encoders import Downlink, video_encoder
from gateway.transport.encoding import Encoding, encode_on
from gateway.transport.forwarding import Forwarding
from gateway.transport.history import History, remember
from gateway.transport.incoming_track import incoming
from gateway.transport.losses import heed_losses
from gateway.transport.reception import Reception
from gateway.transport.reports import Lag, SenderReports, heed_reports
from gateway.transport.sound import SoundReception

DECODED: Final = {"video": 4, "audio": 100}
"""Frames of video and packets of sound held for a consumer that is busy for a moment."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How one connection differs from aiortc's."""

    addresses: Sequence[str]
    """Local addresses to gather on."""
    uplink: int
    """Bits per second that the sender is told to use from the start."""
    downlink: Downlink
    largest: tuple[int, int]
    """Width and height beyond which video is not decoded."""
    ice_servers: Iterable[RTCIceServer] = ()
    """Read anew for each connection, as their credentials may expire."""
    encoding: Encoding | None = None
    """Where outgoing media are encoded; without, as aiortc does it."""
    consent_interval: float = CONSENT_INTERVAL
    """Seconds between the rounds of `gateway.transport.consent`."""


class Connection(RTCPeerConnection):
    """Use `join_decoders` after `close` to wait for the decoders' threads."""

    def __init__(self, tuning: Tuning, arrivals: Arrivals | None = None) -> None:
        super().__init__(
            RTCConfiguration(
                # Never aiortc's default, which asks a third party's STUN server.
                iceServers=list(tuning.ice_servers),
                bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            )
        )
        self._tuning = tuning
        self._arrivals = arrivals or Arrivals()
        self.lag = Lag()
        """Of the video that is sent."""
        self._sender_clock = SenderClock()
        self._timelines: dict[RTCRtpReceiver, Timeline] = {}
        self._receptions: list[Reception] = []
        self._requests = OwnedTasks()
        self._consents: list[Consent] = []
        for certificate in hidden.read(self, RTCPeerConnection, "certificates"):
            take_either(certificate)
        self._make_transceiver = hidden.read(self, RTCPeerConnection, "createTransceiver")
        self._make_dtls = hidden.read(self, RTCPeerConnection, "createDtlsTransport")
        hidden.write(self, RTCPeerConnection, "createTransceiver", self._tuned_transceiver)
        hidden.write(self, RTCPeerConnection, "createDtlsTransport", self._tuned_dtls)

    async def setRemoteDescription(self, sessionDescription: RTCSessionDescription) -> None:
        """As aiortc's; tracks that appear get a bounded queue and a `timeline`."""
        await super().setRemoteDescription(sessionDescription)
        if self.signalingState == "stable":
            self._use_our_encoder()
        for receiver in self.getReceivers():
            track = incoming(receiver)
            # The decoder's thread takes the queue when it starts, after connecting.
            if track is not None and not isinstance(track._queue, Decoded):
                track._queue = Decoded(
                    DECODED[track.kind], self._arrivals if track.kind == "video" else None
                )
                track.timeline = self._timelines[receiver]

    async def setLocalDescription(
        self, sessionDescription: RTCSessionDescription | None = None
    ) -> None:
        """As aiortc's; senders of video get our encoder once the codec is agreed on."""
        await super().setLocalDescription(sessionDescription)
        # Not after our offer: which of its codecs it will be, only the answer says.
        if self.signalingState == "stable":
            self._use_our_encoder()

    def _use_our_encoder(self) -> None:
        for transceiver in self.getTransceivers():
            if transceiver.kind == "video" and transceiver._codecs:
                self._choose_encoder(transceiver)

    def choose_layer(self, rid: str, extension: int | None) -> None:
        """Take only this layer of a simulcast offer; between the remote and local description.

        `extension` numbers the header extension with which packets say their layer.
        """
        for reception in self._receptions:
            reception.rid = rid
        if extension is not None:
            names = RTCRtpParameters(
                headerExtensions=[RTCRtpHeaderExtensionParameters(id=extension, uri=RID_URI)]
            )
            for receiver in self.getReceivers():
                # aiortc reads the extension, but does not offer or answer it.
                receiver.transport._rtp_header_extensions_map.configure(names)

    @property
    def consent_lost(self) -> bool:
        """Whether it was closed because the other side gave no sign of itself any more."""
        return any(consent.lost for consent in self._consents)

    @property
    def failed_in(self) -> str | None:
        """What failed, once the connection has: "DTLS" or "ICE"."""
        if self.connectionState != "failed":
            return None
        transports = {each.receiver.transport for each in self.getTransceivers()}
        # Without a way to the other side its handshake fails, too.
        ice = any(each.transport.state == "failed" for each in transports)
        return "ICE" if ice else "DTLS"

    def decoders(self) -> list[threading.Thread]:
        """Threads that still decode; after `close` they end by themselves within a frame."""
        threads = [
            hidden.read(receiver, RTCRtpReceiver, "decoder_thread")
            for receiver in self.getReceivers()
        ]
        return [thread for thread in threads if thread is not None and thread.is_alive()]

    async def close(self) -> None:
        """As aiortc's, and all decoders are told to end first."""
        for reception in self._receptions:
            reception.close()
        await self._requests.close()
        for receiver in self.getReceivers():
            hidden.read(receiver, RTCRtpReceiver, "decoder_queue").end()
        await super().close()

    async def join_decoders(self) -> None:
        """Wait, off the event loop, until the decoders' threads have ended."""
        for thread in self.decoders():
            await asyncio.to_thread(thread.join)

    def _tuned_transceiver(self, *args: Any, **kwargs: Any) -> RTCRtpTransceiver:
        transceiver: RTCRtpTransceiver = self._make_transceiver(*args, **kwargs)
        receiver, sender = transceiver.receiver, transceiver.sender
        timeline = self._timelines[receiver] = Timeline(self._sender_clock)
        remember(sender, History())
        heed_losses(sender)
        if self._tuning.encoding is not None:
            encode_on(sender, self._tuning.encoding.threads)
        if transceiver.kind == "video":
            self._tune_video(receiver, timeline)
            SenderReports(sender, self.lag).install()
        else:
            sound = SoundReception(receiver, timeline)
            sound.install()
            heed_reports(receiver, timeline, sound.seconds)
            Forwarding(sender).install()
            SenderReports(sender).install()
        return transceiver

    def _choose_encoder(self, transceiver: RTCRtpTransceiver) -> None:
        sender, codec = transceiver.sender, transceiver._codecs[0]
        if isinstance(sender.track, EncodedTrack):
            send_encoded(sender, sender.track, codec.name)
            return
        encoding = self._tuning.encoding
        nvenc = encoding is not None and encoding.nvenc
        encoder = video_encoder(codec, self._tuning.downlink, nvenc=nvenc)
        hidden.write(sender, RTCRtpSender, "encoder", encoder)

    def _tune_video(self, receiver: RTCRtpReceiver, timeline: Timeline) -> None:
        backlog = Backlog(
            VIDEO_BACKLOG,
            # The receiver asks its sender for a key frame when this is set.
            ask=hidden.read(receiver, RTCRtpReceiver, "decoder_error").set,
            limit=self._tuning.largest,
            arrivals=self._arrivals,
        )
        hidden.write(receiver, RTCRtpReceiver, "decoder_queue", backlog)
        # aiortc joins the thread on the event loop; the end mark suffices, see `join_decoders`.
        hidden.write(receiver, RTCRtpReceiver, "stop_decoder", backlog.end)
        reception = Reception(receiver, backlog, self._arrivals, self._requests, timeline=timeline)
        reception.install()
        heed_reports(receiver, timeline, reception.seconds)
        self._receptions.append(reception)
        seed(
            hidden.read(receiver, RTCRtpReceiver, "remote_bitrate_estimator"),
            self._tuning.uplink,
        )

    def _tuned_dtls(self) -> RTCDtlsTransport:
        transport: RTCDtlsTransport = self._make_dtls()
        ice = transport.transport._connection
        use_addresses(ice, self._tuning.addresses)
        consent = Consent(ice, self._sends, self._tuning.consent_interval)
        consent.install(transport)
        self._consents.append(consent)
        return transport

    def _sends(self) -> bool:
        """Whether media or messages go to the other side."""
        return self.sctp is not None or any(
            transceiver.currentDirection in ("sendonly", "sendrecv")
            for transceiver in self.getTransceivers()
        )


def seed(estimator: RemoteBitrateEstimator, bitrate: int) -> None:
    """Begin at `bitrate` instead of at what a cautious sender happened to send first.

    aiortc measures for three seconds and then grows by 8 % a second: measured 0.25 to 0.6 Mbit/s
    over twelve seconds and a downscaled picture, against full resolution at once.
    """
    control = estimator.rate_control
    control.set_estimate(bitrate, clock.current_ms())
    control.latest_estimated_throughput = bitrate

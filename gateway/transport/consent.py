"""Whether the other side still consents to what we send (RFC 7675).

aioice 0.13 takes only answers to its own binding requests as consent, and closes the connection
after six rounds without one, about 30 s. FFmpeg's WHIP muxer (8.1) answers the first request, while
it connects, and none afterwards, though it asks us every five seconds and sends all the time: every
publication of it ended after half a minute.

What RFC 7675 says: consent to *send* is an authenticated answer, and nothing that is received
stands for one; but who sends no application data need not keep consent at all (section 5.1). So:

- Who gets media or messages from us loses consent as the RFC wants it, whatever comes from them.
- Who only sends to us, and gets nothing but RTCP, keeps the connection while what they send is
  proved to be theirs and comes from the address that the checks chose: a binding request with the
  right password, or a packet that SRTP could authenticate. The RTCP is where we deviate, as it
  counts as application data: it is a twentieth of what comes at most (RFC 3550, section 6.2), it
  goes to an address that answered a check and still sends, and without it no lost packet would be
  asked for and no key frame.

A packet that comes proves that the other side is there, not that its address wants ours: that is
what the first check, which everybody answers, has proved.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from aioice import Connection
from aioice.ice import CONSENT_FAILURES, CONSENT_INTERVAL, CandidatePair, StunProtocol
from aioice.stun import Message, TransactionError
from aiortc.rtcdtlstransport import RTCDtlsTransport

from gateway.transport import hidden

logger = logging.getLogger(__name__)


class Consent:
    """Of one transport's other side; in the place of `aioice.Connection.query_consent`."""

    def __init__(
        self, ice: Connection, sends: Callable[[], bool], interval: float = CONSENT_INTERVAL
    ) -> None:
        """`sends` tells whether the other side gets more than RTCP from us.

        `interval` is in seconds from one round to the next, give or take a fifth (RFC 7675,
        section 5.1).
        """
        self.lost = False
        """Whether the connection was closed because nothing showed consent any more."""
        self._ice = ice
        self._sends = sends
        self._interval = interval
        self._proved = False
        """Whether something came since the last round that is certainly from the other side."""
        self._sample: bytes | None = None
        """A packet from the chosen address that may be theirs."""
        self._taken: bytes | None = None
        """The packet that is being authenticated."""

    def install(self, dtls: RTCDtlsTransport) -> None:
        """Replace aioice's rounds, and look at what comes."""
        self._check_incoming = hidden.method(self._ice, "check_incoming")
        hidden.replace(self._ice, "check_incoming", self._checked)
        self._receive = hidden.method(dtls.transport, "_recv")
        hidden.replace(dtls.transport, "_recv", self._received)
        for name in ("_handle_rtp_data", "_handle_rtcp_data"):
            hidden.replace(dtls, name, self._authenticated(hidden.method(dtls, name)))
        hidden.replace(self._ice, "query_consent", self.rounds)

    async def rounds(self) -> None:
        """Ask again and again; closes the connection, and returns, when consent is lost."""
        for protocol in self._ice._protocols:
            self._look_at(protocol)
        failures = 0
        while True:
            await asyncio.sleep(self._interval * random.uniform(0.8, 1.2))
            for pair in list(self._ice._nominated.values()):
                if await self._answers(pair) or (self._proved and not self._sends()):
                    failures = 0
                else:
                    failures += 1
                self._proved, self._sample = False, None
                if failures >= CONSENT_FAILURES:
                    self.lost = True
                    logger.debug("consent to send expired")
                    # `close` must not wait for the task that calls it.
                    self._ice._query_consent_task = None
                    await self._ice.close()
                    return

    async def _answers(self, pair: CandidatePair) -> bool:
        assert self._ice.remote_password is not None
        try:
            await pair.protocol.request(
                self._ice.build_request(pair, nominate=False),
                pair.remote_addr,
                integrity_key=self._ice.remote_password.encode(),
                retransmissions=0,
            )
        except TransactionError:
            return False
        return True

    def _chosen(self, protocol: StunProtocol, address: tuple[str, int]) -> bool:
        return any(
            pair.protocol is protocol and pair.remote_addr == address
            for pair in self._ice._nominated.values()
        )

    def _checked(self, message: Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        # aioice comes here with requests whose MESSAGE-INTEGRITY is right.
        self._proved = self._proved or self._chosen(protocol, addr)
        self._check_incoming(message, addr, protocol)

    def _look_at(self, protocol: StunProtocol) -> None:
        take = hidden.method(protocol, "datagram_received")

        def datagram_received(data: bytes, addr: tuple[Any, ...]) -> None:
            wanted = not self._proved and self._sample is None
            # RTP and RTCP, not DTLS, begin with these (RFC 7983).
            if wanted and data[:1] and 127 < data[0] < 192 and self._chosen(protocol, addr[:2]):
                self._sample = data
            take(data, addr)

        hidden.replace(protocol, "datagram_received", datagram_received)

    async def _received(self) -> bytes:
        if self._taken is not None and self._taken is self._sample:
            # It was not authentic, else it would have proved something.
            self._sample = None
        self._taken = await self._receive()
        return self._taken

    def _authenticated(
        self, handle: Callable[..., Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        async def handle_data(data: bytes, **rest: Any) -> None:
            # aiortc comes here, without a pause in between, with what SRTP made of `_taken`.
            if self._taken is not None and self._taken is self._sample:
                self._proved = True
            await handle(data, **rest)

        return handle_data

"""Who still wants the connection, and how that shows (RFC 7675)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from aioice.ice import CONSENT_FAILURES
from aiortc import MediaStreamTrack

from gateway.peer import Peer
from gateway.sdp import Reach, read_offer
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.loopback import TUNING, Screen, until

REACH = Reach(loopback=True)
QUICK = replace(TUNING, consent_interval=0.01)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait 20 ms, not 500, for an answer: on 127.0.0.1 it is there, or nobody answers."""
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.02)


class Other:
    """The other side's transport, as the tests bend it."""

    def __init__(self, peer: Peer) -> None:
        self.unanswered = 0
        [receiver, *_] = peer._connection.getReceivers()
        self.dtls = receiver.transport
        self.ice = self.dtls.transport._connection

    def answer_no_more(self) -> None:
        """As FFmpeg's WHIP muxer does once it is connected; asks and sends as before."""

        def request_received(*_: object) -> None:
            self.unanswered += 1

        self.ice.request_received = request_received

    def fall_silent(self) -> None:
        """Lose the network."""
        for protocol in self.ice._protocols:
            protocol.transport.sendto = lambda *_: None

    @property
    def address(self) -> Any:
        """Where it sends from."""
        return self.ice._nominated[1].local_addr


@contextlib.asynccontextmanager
async def connected(
    sends: dict[str, MediaStreamTrack], gets: dict[str, MediaStreamTrack]
) -> AsyncIterator[tuple[Peer, Other]]:
    """Ours, and the other side, that `sends` and `gets`.

    Both ask every few milliseconds: theirs so that many requests come where none may count.
    """
    async with Peer(QUICK, reach=REACH) as theirs, Peer(QUICK, reach=REACH) as ours:
        text = await theirs.offer(sends, receive=list(gets))
        offer = read_offer(text, reach=REACH, max_candidates=32)
        await theirs.accept(await ours.answer(offer, gets))
        await asyncio.gather(theirs.connected(), ours.connected())
        yield ours, Other(theirs)


@contextlib.contextmanager
def seen(peer: Peer) -> Iterator[Screen]:
    """What comes to ours."""
    screen = Screen()
    assert peer.video is not None
    task = asyncio.create_task(screen.watch(peer.video))
    yield screen
    task.cancel()


async def test_a_publisher_that_answers_one_check_only_stays_while_it_sends():
    async with connected({"video": GreyCamera()}, {}) as (ours, other):
        other.answer_no_more()
        with seen(ours) as screen:
            await until(lambda: other.unanswered > 3 * CONSENT_FAILURES, what="many checks")
            count = screen.count
            await until(lambda: screen.count > count, what="video as before")
        assert not ours._connection.consent_lost


async def test_its_packets_are_enough_where_it_does_not_ask_either():
    async with connected({"video": GreyCamera()}, {}) as (ours, other):
        other.answer_no_more()
        other.ice._query_consent_task.cancel()
        # Longer than from one frame to the next, else most rounds would see none.
        for consent in ours._connection._consents:
            consent._interval = 0.3
        await until(lambda: other.unanswered > CONSENT_FAILURES + 1, what="many checks", seconds=30)
        assert not ours._connection.consent_lost


async def test_a_publisher_that_falls_silent_loses_its_session_as_before():
    async with connected({"video": GreyCamera()}, {}) as (ours, other):
        other.fall_silent()
        async with asyncio.timeout(20):
            assert await ours.ended() == "the other side does not answer any more"


async def test_what_anybody_could_have_sent_keeps_no_session():
    async with connected({"video": GreyCamera()}, {}) as (ours, other):
        other.fall_silent()
        address = other.address
        [receiver] = ours._connection.getReceivers()
        pair = receiver.transport.transport._connection._nominated[1]

        async def forge() -> None:
            while True:
                pair.protocol.datagram_received(b"\x80\x60" + bytes(60), address)
                await asyncio.sleep(0.002)

        task = asyncio.create_task(forge())
        try:
            async with asyncio.timeout(20):
                assert await ours.ended() == "the other side does not answer any more"
        finally:
            task.cancel()


async def test_a_watcher_that_answers_no_more_is_sent_nothing_more_though_it_asks_and_reports():
    async with connected({}, {"video": GreyCamera()}) as (ours, other):
        other.answer_no_more()
        async with asyncio.timeout(20):
            assert await ours.ended() == "the other side does not answer any more"


async def test_a_page_that_gets_its_composite_back_is_held_to_the_same():
    async with connected({"video": GreyCamera()}, {"video": GreyCamera()}) as (ours, other):
        other.answer_no_more()
        async with asyncio.timeout(20):
            assert await ours.ended() == "the other side does not answer any more"


async def test_what_is_theirs_but_comes_from_elsewhere_keeps_no_session():
    async with connected({"video": GreyCamera()}, {}) as (ours, other):
        other.answer_no_more()
        [receiver] = ours._connection.getReceivers()
        protocol = receiver.transport.transport._connection._nominated[1].protocol
        take = protocol.datagram_received
        # Below what ours looks at, as if the network had moved the sender to another port.
        protocol.datagram_received = lambda data, _: take(data, ("127.0.0.1", 9))
        async with asyncio.timeout(20):
            assert await ours.ended() == "the other side does not answer any more"


async def test_who_says_goodbye_left():
    async with connected({"video": GreyCamera()}, {}) as (ours, other):
        await other.dtls.stop()
        async with asyncio.timeout(20):
            assert await ours.ended() == "the other side left"

"""Synthetic packets through the parts of the receive side, with a clock of our own."""

import asyncio

import pytest
from aiortc import RTCRtpReceiver
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceTransport
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket

from gateway.owned_tasks import OwnedTasks
from gateway.stats import Arrivals
from gateway.transport import hidden
from gateway.transport.backlog import Backlog
from gateway.transport.reception import MAX_DROPOUT, MOST_MISSING, Reception

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=97)
PACKETS = 3
"""Per frame."""


class Bench:
    """A receiver that never connects; what it would send is written down."""

    def __init__(self, ahead: int = 65_500) -> None:
        self.now = 100.0
        self.nacks: list[list[int]] = []
        self.plis = 0
        self.frames: list[bytes] = []
        self.times: list[int] = []
        self.arrivals = Arrivals()
        self.tasks = OwnedTasks()
        self.ahead = ahead
        """The first sequence number: the numbers wrap soon."""
        ice = RTCIceTransport(RTCIceGatherer(iceServers=[]))
        transport = RTCDtlsTransport(ice, [RTCCertificate.generateCertificate()])
        self.receiver = RTCRtpReceiver("video", transport)
        self.receiver._send_rtcp_nack = self._nack  # type: ignore[method-assign]
        self.receiver._send_rtcp_pli = self._pli  # type: ignore[method-assign]
        hidden.write(self.receiver, RTCRtpReceiver, "codecs", {97: VP8})
        hidden.write(self.receiver, RTCRtpReceiver, "decoder_thread", object())
        self.backlog = Backlog(1000, ask=lambda: None, arrivals=self.arrivals)
        hidden.write(self.receiver, RTCRtpReceiver, "decoder_queue", self.backlog)
        self.reception = Reception(
            self.receiver, self.backlog, self.arrivals, self.tasks, lambda: self.now
        )
        self.reception.install()

    async def _nack(self, ssrc: int, lost: list[int]) -> None:
        self.nacks.append(lost)

    async def _pli(self, ssrc: int) -> None:
        self.plis += 1

    async def take(
        self, *numbers: int, key: int | None = None, ssrc: int = 7, rid: str | None = None
    ) -> None:
        """Packets of a video whose frame 0, and frame `key`, are key frames."""
        for number in numbers:
            frame, part = divmod(number, PACKETS)
            packet = RtpPacket(payload_type=97)
            packet.sequence_number = (self.ahead + number) & 0xFFFF
            packet.timestamp = (0xFFFFF000 + 1500 * frame) & 0xFFFFFFFF
            packet.ssrc = ssrc
            packet.extensions.rtp_stream_id = rid
            packet.marker = int(part == PACKETS - 1)
            first = 0x00 if frame in (0, key) else 0x01
            body = bytes([first, frame & 0xFF]) if part == 0 else bytes([0xFF, part])
            packet.payload = bytes([0x10 if part == 0 else 0x00]) + body
            await self.receiver._handle_rtp_packet(packet, arrival_time_ms=int(self.now * 1000))
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        """Time passes and the timer fires."""
        steps = round(seconds / 0.01)
        for _ in range(steps):
            self.now += 0.01
            self.reception.tend()
            await asyncio.sleep(0)

    def decoded(self) -> list[int]:
        """The frames that reached the decoder so far."""
        frames = []
        while self.backlog._frames:
            task = self.backlog.get()
            assert task is not None
            self.times.append(task[1].timestamp)
            frames.append(task[1].data[1])
        return frames

    async def close(self) -> None:
        self.reception.close()
        await self.tasks.close()


@pytest.fixture
async def bench():  # type: ignore[no-untyped-def]
    made = Bench()
    yield made
    await made.close()


async def test_frames_reach_the_decoder_across_the_wrap_of_numbers_and_times(bench: Bench):
    await bench.take(*range(60 * PACKETS))
    assert bench.decoded() == list(range(60))
    assert bench.times == [1500 * n for n in range(60)]
    assert (bench.nacks, bench.plis) == ([], 0)


async def test_a_repaired_loss_is_not_seen(bench: Bench):
    await bench.take(0, 1, 2, 3, 5, 6, 7, 8)
    assert bench.nacks == [[(65_500 + 4) & 0xFFFF]]
    await bench.wait(0.05)
    await bench.take(4)
    assert bench.decoded() == [0, 1, 2]
    assert (bench.arrivals.repaired, bench.arrivals.broken, bench.plis) == (1, 0, 0)


async def test_losses_across_the_wrap_are_asked_for_by_their_16_bits(bench: Bench):
    await bench.take(*range(35), 38, 39, 40)
    assert bench.nacks == [[0, 1, 65_535]]


async def test_a_request_that_was_lost_is_repeated(bench: Bench):
    await bench.take(0, 1, 2, 3, 5)
    await bench.wait(0.14)
    assert len(bench.nacks) == 2
    assert bench.nacks[0] == bench.nacks[1]


async def test_a_hole_that_stays_ends_in_a_key_frame_and_no_torn_frame(bench: Bench):
    await bench.take(0, 1, 2, 3, 5, *range(6, 30))
    assert bench.decoded() == [0]
    await bench.wait(0.4)
    assert bench.plis == 1
    assert bench.decoded() == [], "what refers to the lost frame is not decoded"
    await bench.take(*range(30, 45), key=11)
    assert bench.decoded() == [11, 12, 13, 14]
    assert bench.arrivals.broken == 1
    assert bench.arrivals.undecoded == 9


async def test_a_short_round_trip_gives_up_sooner(bench: Bench):
    for n in range(0, 120, 3):
        await bench.take(n, n + 2)
        await bench.wait(0.02)
        await bench.take(n + 1)
    assert bench.decoded() == list(range(40))
    await bench.take(120, 122, *range(123, 130))
    await bench.wait(0.13)
    assert bench.plis == 1


async def test_a_late_packet_of_a_frame_that_was_given_up_is_only_counted(bench: Bench):
    await bench.take(0, 1, 2, 3, 5, 6, 7, 8)
    await bench.wait(0.4)
    await bench.take(4)
    assert bench.decoded() == [0]
    assert bench.arrivals.late == 1


async def test_duplicates_change_nothing(bench: Bench):
    await bench.take(0, 0, 1, 1, 2, 2, 3, 4, 5, 3)
    assert bench.decoded() == [0, 1]
    assert bench.arrivals.late == 4


async def test_a_key_frame_ends_the_wait_for_one(bench: Bench):
    await bench.take(*range(30), *range(33, 36))
    await bench.wait(0.4)
    bench.decoded()
    await bench.take(*range(36, 42), key=12)
    assert bench.decoded() == [12, 13]


async def test_an_interruption_asks_for_a_key_frame_instead_of_hundreds_of_packets(bench: Bench):
    await bench.take(0, 1, 2)
    far = PACKETS * (MOST_MISSING // PACKETS + 10)
    await bench.take(far, far + 1, far + 2, key=far // PACKETS)
    await bench.take(*range(far + 3, far + 9), key=far // PACKETS + 1)
    assert bench.nacks == []
    assert bench.plis == 1
    assert bench.decoded() == [0, (far // PACKETS + 1) & 0xFF, (far // PACKETS + 2) & 0xFF]


async def test_one_stray_packet_is_ignored_and_a_new_beginning_is_followed(bench: Bench):
    await bench.take(*range(6))
    bench.ahead += MAX_DROPOUT + 500
    await bench.take(100)
    bench.ahead -= MAX_DROPOUT + 500
    await bench.take(*range(6, 9))
    assert bench.decoded() == [0, 1, 2]
    bench.ahead -= 20_000
    await bench.take(*range(9, 18), key=5)
    assert bench.decoded() == [5]
    assert bench.times == sorted(bench.times)


async def test_a_second_layer_is_not_mixed_into_the_first(bench: Bench):
    await bench.take(0, 1, 2)
    bench.ahead += 5
    await bench.take(3, 4, 5, ssrc=8)
    bench.ahead -= 5
    await bench.take(3, 4, 5)
    assert bench.decoded() == [0, 1]
    bench.now += 1.5
    await bench.take(*range(6, 15), key=4, ssrc=8)
    assert bench.decoded() == [4], "the first one fell silent"


async def test_of_layers_that_all_come_only_the_chosen_one_is_decoded(bench: Bench):
    bench.reception.rid = "f"
    await bench.take(0, 1, 2, ssrc=8, rid="q")
    await bench.take(0, 1, 2, ssrc=7, rid="f")
    # Names are left out once the receiver must know them.
    await bench.take(3, 4, 5, ssrc=8)
    await bench.take(3, 4, 5, ssrc=7)
    bench.now += 10
    await bench.take(6, 7, 8, ssrc=8)
    await bench.take(6, 7, 8, ssrc=7)
    assert bench.decoded() == [0, 1, 2]
    assert bench.reception.ssrc == 7


async def test_a_nameless_source_gives_way_to_the_one_that_is_called_like_the_chosen(bench: Bench):
    bench.reception.rid = "f"
    await bench.take(0, 1, 2, ssrc=8)
    await bench.take(3, 4, 5, ssrc=7, rid="f", key=1)
    await bench.take(3, 4, 5, ssrc=8)
    await bench.take(6, 7, 8, ssrc=7)
    assert bench.reception.ssrc == 7
    # The packet that it was found by may be anywhere in its frame.
    assert bench.plis == 1
    await bench.take(9, 10, 11, ssrc=7, key=3)
    assert bench.decoded() == [0, 3]


async def test_of_several_layers_retransmissions_of_unannounced_sources_are_nobodys(bench: Bench):
    bench.reception.rid = "f"
    await bench.take(0, ssrc=8, rid="q")
    await bench.take(0, ssrc=7, rid="f")
    assert hidden.read(bench.receiver, RTCRtpReceiver, "rtx_ssrc").get(99) is None


async def test_key_frames_that_alternate_with_losses_are_not_asked_for_each_time(bench: Bench):
    await bench.take(0, 1, 2)
    for frame in range(1, 20, 2):
        # A whole key frame, then one with a hole that is given up at once.
        await bench.take(*range(3 * frame, 3 * frame + 3), key=frame)
        bench.reception._lose()
    await asyncio.sleep(0)
    assert bench.plis < 3


async def test_retransmissions_of_unannounced_sources_are_those_of_the_only_video(bench: Bench):
    sources = hidden.read(bench.receiver, RTCRtpReceiver, "rtx_ssrc")
    assert sources.get(99) is None
    await bench.take(0)
    assert sources.get(99) == 7
    sources[5] = 6
    assert sources.get(5) == 6


async def test_a_payload_that_cannot_be_read_costs_its_frame_at_once(bench: Bench):
    await bench.take(0, 1, 2, 3)
    packet = RtpPacket(payload_type=97)
    packet.sequence_number = (bench.ahead + 4) & 0xFFFF
    packet.timestamp, packet.ssrc, packet.payload = (0xFFFFF000 + 1500) & 0xFFFFFFFF, 7, b"\x80"
    await bench.receiver._handle_rtp_packet(packet, arrival_time_ms=0)
    await bench.take(5)
    await bench.wait(0.01)
    assert bench.plis == 1


async def test_nothing_is_asked_for_after_the_end(bench: Bench):
    await bench.take(0, 1, 2, 3, 5)
    bench.reception.close()
    bench.reception._arm()
    assert bench.reception._timer is None
    await bench.take(*range(6, 30))
    await bench.take(2000)
    assert len(bench.nacks) == 1
    assert bench.plis == 0

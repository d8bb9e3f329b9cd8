"""Real connections over a bad network; judged by frames and counters, not by a clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from aiortc import MediaStreamError, MediaStreamTrack, RTCRtpSender, RTCSessionDescription
from av import VideoFrame

from gateway.stats import Arrivals
from gateway.transport import hidden
from gateway.transport.connection import Connection
from gateway.transport.encoders import VideoEncoder
from tests.gateway.grey_camera import GreyCamera
from tests.gateway.impaired import Impairment, Weather
from tests.gateway.loopback import TUNING, until

BLOCK = 20
BITS = 12


class NumberedCamera(GreyCamera):
    """Noise that fills several packets, and the frame's number: each bit above its opposite."""

    def __init__(self) -> None:
        super().__init__(640, 360, 30)
        self._noise = np.random.default_rng(1).integers(60, 190, (360, 640), np.uint8)
        self._noise = self._noise.reshape(90, 4, 160, 4).mean((1, 3)).astype(np.uint8)
        self._noise = np.kron(self._noise, np.ones((4, 4), np.uint8))

    async def picture(self) -> np.ndarray:
        number = self.sent
        pixels = await super().picture()
        pixels[:360] = np.roll(self._noise, 5 * number, 1)
        for bit in range(BITS):
            # Spread over the height: a torn frame shows parts of two numbers.
            y, x = bit * 2 * BLOCK // 2 + 20, bit * 2 * BLOCK
            one = number >> bit & 1
            pixels[y : y + BLOCK, x : x + BLOCK] = 235 if one else 16
            pixels[y : y + BLOCK, x + BLOCK : x + 2 * BLOCK] = 16 if one else 235
        return pixels


def number(luma: np.ndarray) -> int | None:
    """The number in a picture, `None` if it is torn."""
    value = 0
    for bit in range(BITS):
        y, x = bit * 2 * BLOCK // 2 + 20, bit * 2 * BLOCK
        left = luma[y + 4 : y + BLOCK - 4, x + 4 : x + BLOCK - 4].mean()
        right = luma[y + 4 : y + BLOCK - 4, x + BLOCK + 4 : x + 2 * BLOCK - 4].mean()
        if abs(left - right) < 100:
            return None
        value |= int(left > right) << bit
    return value


@dataclass
class Line:
    """A camera, a network and a screen."""

    sender: Connection
    receiver: Connection
    camera: NumberedCamera
    arrivals: Arrivals
    there: Impairment
    back: Impairment
    seen: list[int | None] = field(default_factory=list)

    @property
    def encoder(self) -> VideoEncoder:
        (sender,) = self.sender.getSenders()
        found: VideoEncoder = hidden.read(sender, RTCRtpSender, "encoder")
        return found

    async def watch(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                self.seen.append(number(frame.to_ndarray()[:360]))

    async def more(self, frames: int) -> None:
        wanted = len(self.seen) + frames
        await until(lambda: len(self.seen) >= wanted, seconds=60, what=f"{frames} more frames")


@contextlib.asynccontextmanager
async def line(weather: Weather, codec: str = "VP8") -> AsyncIterator[Line]:
    arrivals = Arrivals()
    sender, receiver = Connection(TUNING), Connection(TUNING, arrivals)
    camera = NumberedCamera()
    transceiver = sender.addTransceiver(camera, "sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences(
        [each for each in known if each.mimeType in (f"video/{codec}", "video/rtx")]
    )
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(sender.localDescription)
    await receiver.setLocalDescription(await receiver.createAnswer())
    answer = receiver.localDescription
    await sender.setRemoteDescription(RTCSessionDescription(answer.sdp, answer.type))
    made = Line(sender, receiver, camera, arrivals, Impairment(weather, 1), Impairment(weather, 2))
    made.there.attach(sender)
    made.back.attach(receiver)
    (incoming,) = receiver.getReceivers()
    watching = asyncio.create_task(made.watch(incoming.track))
    try:
        yield made
    finally:
        await sender.close()
        await receiver.close()
        await receiver.join_decoders()
        await watching
        await made.there.close()
        await made.back.close()


def in_order(seen: list[int | None]) -> bool:
    numbers = [each for each in seen if each is not None]
    return numbers == sorted(set(numbers))


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_lost_late_and_doubled_packets_tear_no_frame(codec: str):
    weather = Weather(loss=0.05, delay=0.02, jitter=0.02, doubled=0.02)
    async with line(weather, codec) as made:
        await made.more(90)
        assert None not in made.seen
        assert in_order(made.seen)
        assert made.there.lost > 10
        assert made.arrivals.repaired > 5


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_after_an_interruption_the_picture_returns_whole(codec: str):
    async with line(Weather(delay=0.01), codec) as made:
        await made.more(20)
        made.there.weather = Weather(loss=1.0)
        away = made.camera.sent + 15
        await until(lambda: made.camera.sent >= away, seconds=60, what="half a second is lost")
        made.there.weather = Weather(delay=0.01)
        await until(lambda: (made.seen[-1] or 0) > away, seconds=60, what="a frame from after it")
        await made.more(10)
        assert None not in made.seen
        assert in_order(made.seen)


async def test_a_lost_packet_that_nobody_repeats_ends_in_one_key_frame():
    async with line(Weather()) as made:
        await made.more(20)
        # Requests do not arrive for a while, the one for a key frame among them, repeated, does.
        made.back.weather = Weather(loss=1.0)
        made.there.weather = Weather(loss=0.3)
        await until(lambda: made.arrivals.broken > 0, seconds=60, what="a frame is given up")
        made.there.weather = made.back.weather = Weather()
        await made.more(20)
        assert None not in made.seen
        assert in_order(made.seen)


async def test_without_trouble_nothing_is_asked_for_or_dropped():
    async with line(Weather()) as made:
        await made.more(60)
        assert (made.arrivals.repaired, made.arrivals.late, made.arrivals.broken) == (0, 0, 0)
        assert made.encoder.failures == 0
        assert in_order(made.seen)


async def test_what_the_receiver_estimates_reaches_the_encoder():
    async with line(Weather()) as made:
        await until(
            lambda: made.encoder.target_bitrate > TUNING.downlink.start,
            seconds=60,
            what="the receiver's seeded estimate (REMB)",
        )
        assert made.encoder.target_bitrate <= TUNING.downlink.maximum

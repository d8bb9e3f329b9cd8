"""Sound that a listener cannot take as it is."""

from fractions import Fraction

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.rtcrtpsender import RTCEncodedFrame
from av import AudioFrame

from gateway.transport.forwarding import Forwarding
from gateway.transport.sound import RATE, Sound
from tests.gateway.recorded import OPUS, PCMU


class Tape(MediaStreamTrack):
    kind = "audio"

    def __init__(self, *given: Sound | AudioFrame) -> None:
        super().__init__()
        self._given = list(given)

    async def recv(self) -> Sound | AudioFrame:  # type: ignore[override]  # `Forwarding` sends it
        return self._given.pop(0)


async def sent(codec, *given: Sound | AudioFrame) -> list[RTCEncodedFrame]:
    """What leaves for a listener with this codec."""
    connection = RTCPeerConnection()
    tape = Tape(*given)
    sender = connection.addTransceiver(tape).sender
    Forwarding(sender).install()
    frames = []
    while tape._given:
        frames.append(await sender._next_encoded_frame(codec))
    while sender._next_encoded_frame.__self__._ready:
        frames.append(await sender._next_encoded_frame(codec))
    await connection.close()
    return [frame for frame in frames if frame is not None]


def telephone(pts: int, milliseconds: int = 20) -> Sound:
    return Sound(b"\xd5" * 8 * milliseconds, pts, PCMU, -30)


async def test_the_same_codec_passes_with_its_level_whatever_it_is():
    (frame,) = await sent(PCMU, telephone(9600))
    assert frame.payloads == [b"\xd5" * 160]
    assert (frame.timestamp, frame.audio_level) == (9600 // 6, -30)
    (frame,) = await sent(OPUS, Sound(b"\x78any", 9600, OPUS))
    assert (frame.payloads, frame.timestamp, frame.audio_level) == ([b"\x78any"], 9600, None)


async def test_a_long_packet_becomes_several_each_at_its_own_time():
    frames = await sent(OPUS, telephone(0, 60), telephone(2880, 60))
    assert all(len(frame.payloads) == 1 for frame in frames)
    times = [frame.timestamp for frame in frames]
    # The resampler holds some samples back at first.
    assert len(times) >= 5
    assert set(np.diff(times)) == {960}


async def test_a_gap_stays_a_gap_when_sound_is_encoded_anew():
    pause = 2 * RATE
    packets = [telephone(n * 960 + (pause if n >= 25 else 0)) for n in range(50)]
    times = [frame.timestamp for frame in await sent(OPUS, *packets)]
    assert max(np.diff(times)) == pytest.approx(pause, abs=2 * 960)
    assert min(np.diff(times)) > 0
    assert times[-1] == pytest.approx(packets[-1].pts, abs=2 * 960)


async def test_samples_are_encoded_and_a_broken_packet_is_left_out():
    frame = AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 4800, Fraction(1, RATE)
    (encoded,) = await sent(OPUS, frame)
    assert encoded.timestamp == 4800
    broken = Sound(b"\xff\xff\xff", 0, OPUS)
    assert len(await sent(PCMU, broken, broken)) == 0

import asyncio
import contextlib
from fractions import Fraction

import numpy as np
import pytest
from aiortc import MediaStreamError, MediaStreamTrack
from aiortc.codecs.opus import OpusEncoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av import AudioFrame

from gateway.audio import LEAD, LONGEST, MOST, STALE, AudioRelay, DelayLine, Heard
from gateway.transport.sound import Sound

OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000, channels=2, payloadType=96)
TWENTY_MS = b"\x78"


def sound(pts: int, payload: bytes = TWENTY_MS) -> Sound:
    return Sound(payload, pts, OPUS)


def frame(pts: int, value: int = 1) -> AudioFrame:
    made = AudioFrame.from_ndarray(np.full((1, 960), value, np.int16), format="s16", layout="mono")
    made.sample_rate = 48000
    made.time_base = Fraction(1, 48000)
    made.pts = pts
    return made


class Microphone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, *given: Sound | AudioFrame) -> None:
        super().__init__()
        self._given = list(given)

    async def recv(self) -> Sound | AudioFrame:  # type: ignore[override]  # `Forwarding` sends it
        await asyncio.sleep(0)
        if not self._given:
            raise MediaStreamError
        return self._given.pop(0)


class Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


def heard(number: int, epoch: int = 1) -> Heard:
    """The packet that was captured `number` times 20 ms after second 10, and came 5 ms later."""
    at = 10.0 + number * 0.02
    return Heard(sound(number * 960), number * 960, at + 0.005, at, epoch)


def numbers(line: DelayLine, lag: float, now: float) -> list[int]:
    found = []
    while (each := line.take(lag, now)) is not None:
        found.append(each.pts // 960)
    return found


def test_sound_leaves_just_before_the_picture_of_its_capture_does():
    line = DelayLine()
    line.put(heard(0))
    line.put(heard(1))
    assert line.wait(0.1, 10.005) == pytest.approx(0.095 - LEAD)
    assert numbers(line, 0.1, 10.099 - LEAD) == []
    assert numbers(line, 0.1, 10.101 - LEAD) == [0]
    # The picture has become slower.
    assert numbers(line, 0.2, 10.125) == []
    assert numbers(line, 0.2, 10.221 - LEAD) == [1]
    assert line.wait(0.2, 10.3) is None


def test_what_was_overtaken_gets_back_into_order_while_it_waits():
    line = DelayLine()
    for number in (0, 2, 1, 2, 3):
        line.put(heard(number))
    assert numbers(line, 0.1, 10.2) == [0, 1, 2, 3]


def test_what_is_missing_when_its_time_comes_is_a_gap():
    line = DelayLine()
    line.put(heard(0))
    line.put(heard(2))
    assert numbers(line, 0.1, 10.15) == [0, 2]
    line.put(heard(1))
    assert numbers(line, 0.1, 10.2) == []


def test_a_new_microphone_is_not_behind_the_last_one():
    line = DelayLine()
    line.put(heard(50))
    line.put(heard(0, epoch=2))
    assert numbers(line, 0.0, 11.1) == [50, 0]


def test_stale_sound_is_dropped_instead_of_sent_in_a_burst():
    line = DelayLine()
    for number in range(100):
        line.put(heard(number))
    left = numbers(line, 0.0, 12.0)
    assert left[0] == round((2.0 + LEAD - STALE) / 0.02)
    assert left[-1] == 99


def test_no_clock_delays_sound_for_ever():
    line = DelayLine()
    line.put(Heard(sound(0), 0, 10.0, 9000.0, 1))
    assert line.wait(0.1, 10.0) == pytest.approx(MOST)


def test_a_watcher_that_does_not_listen_holds_a_bounded_number_of_packets():
    line = DelayLine()
    for number in range(LONGEST + 50):
        line.put(heard(number))
    assert len(line) == LONGEST
    assert numbers(line, 0.0, 15.0)[-1] == LONGEST + 49


async def test_every_watcher_gets_the_same_untouched_packets():
    relay = AudioRelay(lambda: 0.0)
    tracks = [relay.subscribe(), relay.subscribe()]
    packets = [sound(0), sound(960, b"\x78\x01\x02")]
    await relay.run(Microphone(*packets))
    for track in tracks:
        got = [await track.recv(), await track.recv()]
        assert all(each is packet for each, packet in zip(got, packets, strict=True))


async def test_each_watchers_sound_is_as_late_as_their_own_picture():
    clock = Clock()
    relay = AudioRelay(lambda: 0.0, clock)
    slow, fast = relay.subscribe(lambda: 0.3), relay.subscribe(lambda: 0.1)
    unknown = relay.subscribe()
    await relay.run(Microphone(sound(0)))
    waits = [track._line.wait(track._lag(), clock.now) for track in (slow, fast, unknown)]
    assert waits == pytest.approx([0.3 - LEAD, 0.1 - LEAD, -LEAD])


async def test_another_microphone_goes_on_as_much_later_as_it_was_captured():
    clock = Clock()
    relay = AudioRelay(lambda: 0.0, clock)
    track = relay.subscribe()
    await relay.run(Microphone(sound(48000)))
    first = await track.recv()
    clock.now += 3.0
    await relay.run(Microphone(sound(0, b"\x78\x07")))
    clock.now += 0.02
    second = await track.recv()
    assert (first.pts, second.pts) == (48000, 48000 + 3 * 48000)
    assert second.payload == b"\x78\x07"
    assert track.captured(second.pts / 48000) == pytest.approx(8.0)
    # One that takes over at once does not begin before the last one's packet ends.
    await relay.run(Microphone(sound(0), sound(960)))
    clock.now += 0.1
    third, fourth = await track.recv(), await track.recv()
    assert third.pts >= second.pts + 960
    assert fourth.pts == third.pts + 960


async def test_gaps_of_the_microphone_stay_gaps():
    relay = AudioRelay(lambda: 0.0)
    track = relay.subscribe()
    silence = 20 * 960
    await relay.run(Microphone(sound(0), sound(silence)))
    assert [(await track.recv()).pts, (await track.recv()).pts] == [0, silence]


async def test_a_source_of_samples_is_passed_on_as_samples():
    clock = Clock()
    relay = AudioRelay(lambda: 0.0, clock)
    track = relay.subscribe()
    frames = [frame(0), frame(960)]
    await relay.run(Microphone(*frames))
    assert [await track.recv(), await track.recv()] == frames
    await relay.run(Microphone(frame(0, value=7)))
    other = await track.recv()
    assert other.pts >= 1920
    assert (other.to_ndarray() == 7).all()
    assert other.sample_rate == 48000


async def test_who_needs_samples_gets_them_and_a_broken_packet_is_a_gap():
    encoder = OpusEncoder()
    packets = []
    for number in range(20):
        at = np.arange(number * 960, (number + 1) * 960) / 48000
        tone = AudioFrame.from_ndarray(
            (8000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16)[None], "s16", "mono"
        )
        tone.sample_rate, tone.time_base, tone.pts = 48000, Fraction(1, 48000), number * 960
        payloads, timestamp = encoder.encode(tone)
        packets += [sound(timestamp, payload) for payload in payloads]
    packets[5] = sound(packets[5].pts, b"\xff\xff\xff")
    relay = AudioRelay(lambda: 0.0)
    track = relay.subscribe_decoded()
    await relay.run(Microphone(*packets))
    relay.close()
    frames = []
    with contextlib.suppress(MediaStreamError):
        while True:
            frames.append(await track.recv())
    assert len(frames) >= len(packets) - 1
    assert frames[-1].sample_rate == 48000
    loudness = np.abs(frames[-1].to_ndarray().astype(float)).max()
    assert loudness == pytest.approx(8000, rel=0.3)
    assert frames[-1].pts == packets[-1].pts


async def test_a_watcher_that_stops_leaves_and_one_that_waits_ends_with_the_stream():
    relay = AudioRelay(lambda: 0.0)
    left, waiting = relay.subscribe(), relay.subscribe()
    left.stop()
    assert relay._tracks == {waiting}
    task = asyncio.create_task(waiting.recv())
    await asyncio.sleep(0)
    relay.close()
    with pytest.raises(MediaStreamError):
        await task
    assert not relay._tracks


async def test_a_watcher_that_leaves_does_not_wait_for_what_is_not_due():
    relay = AudioRelay(lambda: MOST)
    track = relay.subscribe()
    await relay.run(Microphone(sound(0)))
    task = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    track.stop()
    with pytest.raises(MediaStreamError):
        await task

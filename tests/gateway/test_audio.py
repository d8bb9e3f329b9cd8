import asyncio
from fractions import Fraction

import numpy as np
import pytest
from aiortc import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from gateway.audio import LONGEST, AudioRelay


def sound(pts: int, value: int = 1) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.full((1, 960), value, np.int16), format="s16", layout="mono")
    frame.sample_rate = 48000
    frame.time_base = Fraction(1, 48000)
    frame.pts = pts
    return frame


class Microphone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, *frames: AudioFrame) -> None:
        super().__init__()
        self._frames = list(frames)

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(0)
        if not self._frames:
            raise MediaStreamError
        return self._frames.pop(0)


class Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


async def test_every_watcher_hears_the_same_untouched_sound():
    relay = AudioRelay(lambda: 0.0)
    tracks = [relay.subscribe(), relay.subscribe()]
    frames = [sound(0), sound(960)]
    await relay.run(Microphone(*frames))
    for track in tracks:
        assert [await track.recv(), await track.recv()] == frames


async def test_sound_is_as_late_as_the_picture():
    relay = AudioRelay(lambda: 0.1)
    track = relay.subscribe()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await relay.run(Microphone(sound(0)))
    await track.recv()
    assert 0.09 < loop.time() - began < 0.5


async def test_stale_sound_is_dropped_instead_of_sent_in_a_burst():
    clock = Clock()
    relay = AudioRelay(lambda: 0.0, clock)
    track = relay.subscribe()
    await relay.run(Microphone(sound(0), sound(960)))
    clock.now += 2.0
    await relay.run(Microphone(sound(1920)))
    assert (await track.recv()).samples == 960
    assert not track._heard


async def test_a_watcher_that_does_not_listen_holds_a_bounded_number_of_frames():
    relay = AudioRelay(lambda: 0.0)
    track = relay.subscribe()
    await relay.run(Microphone(*(sound(n * 960) for n in range(LONGEST + 50))))
    assert len(track._heard) == LONGEST


async def test_another_microphone_goes_on_where_the_last_one_ended():
    relay = AudioRelay(lambda: 0.0)
    track = relay.subscribe()
    await relay.run(Microphone(sound(48000)))
    await relay.run(Microphone(sound(0, value=7), sound(960)))
    heard = [await track.recv() for _ in range(3)]
    assert [frame.pts for frame in heard] == [48000, 48960, 49920]
    assert (heard[1].to_ndarray() == 7).all()
    assert heard[1].sample_rate == 48000


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

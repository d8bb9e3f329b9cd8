import asyncio
from fractions import Fraction

import numpy as np
import pytest
from aiortc import MediaStreamError

from gateway.composite_track import CompositeTrack
from gateway.slot import Newest
from gateway.transformer import Shown

BASE = Fraction(1, 90000)
PIXELS = np.full((36, 32), 77, np.uint8)


def shown(pts: int, epoch: int = 1) -> Shown:
    return Shown(PIXELS, pts, BASE, epoch)


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


async def test_timestamps_pass_through_untouched():
    slot: Newest[Shown] = Newest()
    track = CompositeTrack(slot)
    for pts in (0, 3000, 6001):
        slot.put(shown(pts))
        frame = await track.recv()
        assert (frame.pts, frame.time_base) == (pts, BASE)
        assert frame.width == 32
        assert frame.height == 24


async def test_the_composite_arrives_whole_where_its_height_is_no_multiple_of_four():
    slot: Newest[Shown] = Newest()
    pixels = np.random.default_rng(0).integers(0, 256, (27, 32), np.uint8)
    slot.put(Shown(pixels, 0, BASE, 1))

    assert ((await CompositeTrack(slot).recv()).to_ndarray() == pixels).all()


async def test_a_watcher_that_is_slow_gets_the_newest_only():
    slot: Newest[Shown] = Newest()
    track = CompositeTrack(slot)
    for n in range(5):
        slot.put(shown(n * 3000))
    assert (await track.recv()).pts == 12000
    waiting = asyncio.create_task(track.recv())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    slot.put(shown(15000))
    assert (await waiting).pts == 15000


async def test_watchers_do_not_share_frames():
    slot: Newest[Shown] = Newest()
    slot.put(shown(0))
    first, second = CompositeTrack(slot), CompositeTrack(slot)
    assert await first.recv() is not await second.recv()


async def test_time_never_runs_backwards_when_another_camera_begins():
    slot: Newest[Shown] = Newest()
    clock = Clock()
    track = CompositeTrack(slot, clock)
    slot.put(shown(900_000))
    assert (await track.recv()).pts == 900_000
    clock.now += 2.0
    slot.put(shown(0, epoch=2))
    assert (await track.recv()).pts == 900_000 + 180_000
    clock.now += 1 / 30
    slot.put(shown(3000, epoch=2))
    assert (await track.recv()).pts == 900_000 + 183_000


async def test_a_still_stream_is_shown_again_with_a_later_time():
    slot: Newest[Shown] = Newest()
    clock = Clock()
    track = CompositeTrack(slot, clock, still=0.02)
    slot.put(shown(3000))
    first = await track.recv()
    clock.now += 0.5
    again = await track.recv()
    assert again.pts == first.pts + 45_000
    clock.now += 0.1
    slot.put(shown(3000 + 48_000))
    assert (await track.recv()).pts > again.pts


async def test_the_track_ends_with_its_stream():
    slot: Newest[Shown] = Newest()
    track = CompositeTrack(slot)
    waiting = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    slot.close()
    with pytest.raises(MediaStreamError):
        await waiting
    assert track.readyState == "ended"
    with pytest.raises(MediaStreamError):
        await track.recv()

import asyncio

import pytest

from gateway.slot import Newest, SlotClosed


async def test_a_reader_gets_the_newest_value_and_sees_how_many_it_missed():
    slot: Newest[str] = Newest()
    for value in "abc":
        slot.put(value)
    assert await slot.after(0) == (3, "c")
    assert slot.version == 3


async def test_a_reader_that_has_seen_everything_waits():
    slot: Newest[str] = Newest()
    slot.put("a")
    waiting = asyncio.create_task(slot.after(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    slot.put("b")
    assert await waiting == (2, "b")


async def test_every_reader_gets_the_value():
    slot: Newest[str] = Newest()
    readers = [asyncio.create_task(slot.after(0)) for _ in range(3)]
    await asyncio.sleep(0)
    slot.put("a")
    assert await asyncio.gather(*readers) == [(1, "a")] * 3


async def test_closing_ends_readers_that_wait_and_those_that_come():
    slot: Newest[str] = Newest()
    waiting = asyncio.create_task(slot.after(0))
    await asyncio.sleep(0)
    slot.close()
    with pytest.raises(SlotClosed):
        await waiting
    slot.put("late")
    with pytest.raises(SlotClosed):
        await slot.after(0)

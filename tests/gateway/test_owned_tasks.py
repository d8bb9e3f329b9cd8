"""Tasks with an owner: none is lost, and no cancellation either."""

import asyncio

import pytest

from gateway.owned_tasks import apart


async def test_whoever_is_cancelled_twice_still_waits_for_the_end_of_the_work():
    closing, closed = asyncio.Event(), False

    async def work() -> None:
        nonlocal closed
        try:
            await asyncio.Event().wait()
        finally:
            closing.set()
            try:
                await asyncio.Event().wait()
            finally:
                # Something that has to be closed, and takes its time.
                for _ in range(3):
                    await asyncio.sleep(0)
                closed = True

    waiting = asyncio.create_task(apart(work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await closing.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert closed


async def test_what_the_work_gives_and_raises_arrives():
    async def give() -> int:
        return 7

    async def fail() -> None:
        raise ValueError("its own")

    assert await apart(give()) == 7
    with pytest.raises(ValueError, match="its own"):
        await apart(fail())

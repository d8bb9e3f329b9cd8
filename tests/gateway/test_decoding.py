import asyncio
import threading
from pathlib import Path

import pytest

from gateway.app import THREADS
from gateway.decoding import AT_ONCE, MOST_WAITING, Crowded, Decoding
from tests.gateway.loopback import running


async def test_two_pictures_are_decoded_at_a_time_and_some_wait():
    decoding, go, lock = Decoding(), threading.Event(), threading.Lock()
    working, most = 0, 0

    def work() -> None:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        go.wait()
        with lock:
            working -= 1

    taken = [asyncio.create_task(decoding.run(work)) for _ in range(AT_ONCE + MOST_WAITING)]
    await asyncio.sleep(0.05)
    with pytest.raises(Crowded):
        await decoding.run(work)
    go.set()
    await asyncio.gather(*taken)
    assert most == AT_ONCE
    await decoding.run(work)


async def test_a_picture_that_fails_gives_its_turn_back():
    decoding = Decoding()

    def fail() -> None:
        raise ValueError("damaged")

    for _ in range(2 * (AT_ONCE + MOST_WAITING)):
        with pytest.raises(ValueError, match="damaged"):
            await decoding.run(fail)


async def test_beyond_the_waiting_pictures_one_is_asked_to_come_back(tmp_path: Path):
    async with running(tmp_path) as gateway:
        headers = {"Content-Type": "image/png"}
        stopped = threading.Event()
        loop = asyncio.get_running_loop()
        # All threads are busy: whoever has a turn keeps it.
        held = [loop.run_in_executor(None, stopped.wait) for _ in range(THREADS)]
        posts = [
            asyncio.create_task(gateway.http.post("/backdrops", data=b"?", headers=headers))
            for _ in range(AT_ONCE + MOST_WAITING + 1)
        ]
        done, _ = await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
        stopped.set()
        await asyncio.gather(*held)
        (refused,) = (task.result() for task in done)
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "5"
        rest = await asyncio.gather(*posts)
        assert sorted(response.status for response in rest)[:-1] == [415] * (len(posts) - 1)

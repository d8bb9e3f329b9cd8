"""What the seats of all kinds of rooms have in common."""

import asyncio
from pathlib import Path
from typing import NoReturn

from gateway.relays.backoff import Patience
from gateway.relays.calls import CallFailed
from gateway.rooms.seat import Keys, Seat
from tests.gateway.loopback import running


async def test_keys_are_kept_as_long_as_their_streams_and_no_longer(tmp_path: Path):
    async with running(tmp_path) as gateway:
        keys = Keys(gateway.worker)
        async with gateway.worker.feeding("ada", keys.of("ada")) as feed:
            assert keys.of("ada") == feed.stream.key
            for number in range(50):
                keys.of(f"guest-{number}")
            assert keys.of("ada") == feed.stream.key
            assert len(keys) == 1
        # No frame ever came: it does not linger.
        assert keys.of("ada") != feed.stream.key


async def test_who_is_cancelled_while_a_connection_fails_does_not_try_again(tmp_path: Path):
    failing, cancelled = asyncio.Event(), asyncio.Event()
    tries = 0

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            failing.set()
            await cancelled.wait()

    async def fail() -> None:
        raise CallFailed("the video ended")

    async def connect() -> NoReturn:
        nonlocal tries
        tries += 1
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(work())
                tasks.create_task(fail())
        except* CallFailed:
            pass
        raise CallFailed("the video ended")

    async with running(tmp_path) as gateway:
        seat = Seat("Ada", gateway.worker, patience=Patience(first=0.01), tell=lambda line: None)
        trying = asyncio.create_task(seat.again("watching", connect))
        await failing.wait()
        trying.cancel()
        cancelled.set()
        done, _ = await asyncio.wait([trying], timeout=8)
        trying.cancel()
        assert done, f"it tried {tries} times"
        assert trying.cancelled()

"""The way out of a room."""

import asyncio
import os
import signal

import pytest

from gateway.rooms.room_command import leaving


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
async def test_after_a_signal_either_one_ends_the_program(first: signal.Signals):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    staying = asyncio.create_task(asyncio.Event().wait())
    try:
        with leaving(staying):
            os.kill(os.getpid(), first)
            with pytest.raises(asyncio.CancelledError):
                await staying
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

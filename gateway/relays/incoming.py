"""What comes on a connection that the gateway opened itself, on its way into a stream."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from aiortc import MediaStreamTrack

from gateway.peer import Peer
from gateway.relays.calls import CallFailed
from gateway.silence import Silence
from gateway.stream import Stream


async def taken_in(stream: Stream, peer: Peer, stalled: float) -> NoReturn:
    """Feed a stream from a connected peer; raises `CallFailed` when nothing comes any more.

    `stalled` is seconds without video after which the connection is given up. While nothing comes,
    viewers see the backdrop.
    """
    assert peer.video is not None
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(video_taken_in(stream, peer.video, stalled))
            tasks.create_task(gone(peer))
            if peer.audio is not None:
                tasks.create_task(stream.audio.run(peer.audio))
    except* CallFailed as failed:
        reason = str(failed.exceptions[0])
    finally:
        # Again, as the task that did it may have been cancelled while it painted.
        await stream.transformer.show_backdrop()
    raise CallFailed(reason)


async def video_taken_in(stream: Stream, video: MediaStreamTrack, stalled: float) -> NoReturn:
    """As `taken_in`, of any track and without audio."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_transform(stream, video))
            tasks.create_task(_watch_silence(stream, stalled))
            tasks.create_task(stream.find_plate())
    except* CallFailed as failed:
        reason = str(failed.exceptions[0])
    finally:
        # Here, not in a task: one that is cancelled while it paints would leave the last composite.
        await stream.transformer.show_backdrop()
    raise CallFailed(reason)


async def gone(peer: Peer) -> NoReturn:
    """Wait until a connection ends; raises `CallFailed`, which says how."""
    raise CallFailed(await peer.ended())


async def _transform(stream: Stream, video: MediaStreamTrack) -> NoReturn:
    await stream.transformer.run(video)
    raise CallFailed("the video ended")


async def _watch_silence(stream: Stream, stalled: float) -> NoReturn:
    await Silence(stream).lasts(stalled)
    raise CallFailed(f"no video came for {stalled:g} s")

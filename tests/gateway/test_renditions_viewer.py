"""A viewer costs nothing before it watches, and ends with its stream."""

import asyncio

from tests.gateway.audience import Sender, stage


async def test_who_never_connects_costs_no_encoder():
    async with stage() as made:
        viewer = made.pool.viewer()
        viewer.agree("VP8")
        await made.show(3)
        assert made.encoders == []
        viewer.stop()


async def test_with_the_stream_all_senders_end():
    async with stage() as made:
        senders = [await made.enter() for _ in range(2)]
        await made.show(2)
        made.composites.close()
        await asyncio.gather(*(sender.task for sender in senders))
        assert made.pool.seating() == []
        late = made.pool.viewer()
        made.pool.close()
        made.senders.append(Sender(late))
        await made.senders[-1].task
        assert late.readyState == "ended"

"""A camera that is muted or gone: the backdrop alone, and nobody who stands there frozen."""

import asyncio

import pytest

from gateway.matting import Step
from tests.gateway.grey_camera import PERSON
from tests.gateway.loopback import until
from tests.gateway.transformer_bench import BACKDROP_LUMA, Feed, bench


async def test_while_no_frame_comes_nobody_stands_there_frozen():
    async with bench(freeze=0.3) as made:
        await made.learn()
        assert abs(await made.next() - PERSON) < 2
        made.clock.now += 0.4
        await until(made.only_backdrop, what="the backdrop alone")
        # As long as the camera was muted the engine had nothing to answer: it did not fail.
        made.clock.now += 10
        assert abs(await made.next() - PERSON) < 2
        assert made.notices == []


@pytest.mark.parametrize("before", [0, 1])
async def test_what_the_engine_makes_of_a_frame_from_before_the_silence_is_not_shown(before: int):
    async with bench(freeze=0.3) as made:
        await made.learn()
        for _ in range(before):
            await made.next()
        made.engine.script.append(Step(hang=True))
        made.feed.show()
        await until(lambda: made.stats.frames_in == before + 1, what="the frame")
        made.clock.now += 0.4
        await until(lambda: bool(made.shown) and made.only_backdrop(), what="the backdrop alone")
        concealed = made.transformer.composites.value
        made.engine.release()
        await until(lambda: made.stats.late, what="the late answer")
        assert made.transformer.composites.value is concealed


async def test_when_the_camera_ends_the_transformer_does_too_and_shows_the_backdrop():
    async with bench() as made:
        await made.learn()
        await made.next()
        running = asyncio.create_task(made.transformer.run(second := Feed()))
        await asyncio.sleep(0)
        second.end()
        await asyncio.wait_for(running, 2)
        await made.transformer.show_backdrop()
        shown = made.transformer.composites.value
        assert abs(float(shown.pixels[:48].mean()) - BACKDROP_LUMA) < 3

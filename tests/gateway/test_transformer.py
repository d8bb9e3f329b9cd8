"""Latest wins and failing closed, without WebRTC and on a clock of our own."""

import asyncio

import numpy as np
import pytest

from gateway.matting import ScriptedStream, Step
from models.errors import MattingError
from tests.gateway.grey_camera import PERSON
from tests.gateway.transformer_bench import BACKDROP_LUMA, TIME_BASE, Bench, bench


async def test_a_source_becomes_a_composite_with_its_own_timestamp():
    async with bench() as made:
        await made.learn()
        assert abs(await made.next() - PERSON) < 2
        assert made.transformer.composites.value.pts == 0
        assert abs(await made.next() - PERSON) < 2
        assert made.transformer.composites.value.pts == 3000
        assert made.transformer.composites.value.time_base == TIME_BASE
        assert (made.stats.frames_in, made.stats.frames_out, made.stats.dropped) == (2, 2, 0)


async def test_without_a_plate_the_person_is_not_shown():
    async with bench() as made:
        assert abs(await made.next() - BACKDROP_LUMA) < 3


async def test_only_the_newest_source_waits_for_a_busy_engine():
    async with bench() as made:
        made.engine.script.append(Step(hang=True))
        for _ in range(6):
            made.feed.show()
            await asyncio.sleep(0.005)
        await made.settle()
        made.engine.release()
        await made.settle()
        assert made.stats.frames_in == 6
        assert made.stats.frames_out == 2
        assert made.stats.dropped == 4
        assert made.transformer.composites.value.pts == 5 * 3000


async def test_one_failure_leaves_the_last_composite():
    async with bench() as made:
        await made.learn()
        await made.next()
        last = made.transformer.composites.value
        made.engine.script.append(Step(error=MattingError("out of memory")))
        made.feed.show()
        await made.settle()
        assert made.transformer.composites.value is last
        assert made.stats.failures == 1


@pytest.mark.parametrize("error", [MattingError("ours"), RuntimeError("torch's"), MemoryError()])
async def test_repeated_failures_end_in_the_backdrop_alone(error: BaseException):
    async with bench() as made:
        await made.learn()
        await made.next()
        made.engine.script.extend([Step(error=error)] * 9)
        await made.go_on()
        assert abs(await made.next() - BACKDROP_LUMA) < 3
        await made.settle()
        assert made.notices == ["Matting fails; others see the backdrop alone."]
        made.engine.script.clear()
        await made.settle()
        made.feed.show()
        await made.settle()
        assert abs(await made.next() - PERSON) < 2
        assert made.notices[-1] == "Matting works again."


async def test_a_hanging_engine_ends_in_the_backdrop_and_its_late_answer_is_dropped():
    async with bench() as made:
        await made.learn()
        await made.next()
        made.engine.script.append(Step(hang=True))
        await made.go_on()
        assert abs(await made.next() - BACKDROP_LUMA) < 3
        concealed = made.transformer.composites.value
        made.engine.release()
        await made.settle()
        assert made.stats.late >= 1
        assert made.transformer.composites.value is concealed
        assert abs(await made.next() - PERSON) < 2


def answering_with(made: Bench, rows: int, columns: int) -> ScriptedStream:
    class Cropping(ScriptedStream):
        def _composite(self, source: np.ndarray):  # type: ignore[no-untyped-def]
            return super()._composite(source[:rows, :columns])

    return Cropping(made.engine)


async def test_an_engine_that_answers_with_another_shape_has_failed():
    async with bench() as made:
        made.transformer._matting = answering_with(made, 36, 48)
        made.feed.show()
        await made.settle()
        assert made.stats.failures == 1
        assert made.transformer.composites.value is None


async def test_an_engine_without_time_for_all_pixels_may_answer_with_fewer():
    async with bench() as made:
        made.transformer._matting = answering_with(made, 36, 32)
        made.feed.show()
        await made.settle()
        assert made.stats.failures == 0
        shown = made.transformer.composites.value
        assert shown is not None
        assert shown.pixels.shape == (36, 32)


async def test_an_engine_whose_thread_is_gone_ends_in_the_backdrop():
    async with bench() as made:
        await made.learn()
        await made.next()
        made.engine.thread.shutdown(wait=True)
        await made.go_on()
        assert abs(await made.next() - BACKDROP_LUMA) < 3
        assert made.stats.failures >= 1


async def test_frames_of_a_refused_size_show_the_backdrop_and_never_reach_the_engine():
    async with bench() as made:
        await made.learn()
        await made.next()
        await made.go_on(width=1024, height=768)
        assert abs(await made.next(width=1024, height=768) - BACKDROP_LUMA) < 3
        assert made.stats.refused == made.stats.frames_in - 1
        assert made.stats.frames_out == 1
        assert "another resolution" in made.notices[0]

"""A plate that was wished for at publishing, whatever comes in between."""

import asyncio

import numpy as np
import pytest

from gateway.claim import Caller, Claim
from gateway.kept_plates import KeptPlates, digest
from gateway.matting import ScriptedEngine, ScriptedStream
from gateway.scenery import Kept, Scenery
from gateway.stream import Stream
from gateway.stream_plate import NOBODY
from models.errors import PlateRefused
from models.report import PlateReport
from tests.gateway.loopback import until
from tests.gateway.test_stream_plate import HALL, ROOM, busy, filmed, settled, stream_of

KEY, OTHER = "k" * 32, "o" * 32
WISH = Scenery(plate=Kept("hall"))


async def wishing(stream: Stream, wish: Scenery = WISH) -> None:
    """A publisher comes, or returns, and has video."""
    kept = None
    if isinstance(wish.plate, Kept):
        kept, _ = KeptPlates(None, 1).keep(wish.plate.name, HALL, digest(OTHER), lambda _: True)
    await stream.prepare(wish, kept)


async def test_a_plate_that_was_forgotten_does_not_come_back_with_its_publisher():
    with stream_of(ScriptedEngine()) as stream:
        await wishing(stream)
        await stream.find_plate()
        assert stream.plate.state == "ready"
        await stream.plate.forget()
        await wishing(stream)
        await stream.find_plate()
        assert await stream.plate.picture() is None
        await wishing(stream, Scenery(plate=Kept("hall2")))
        await stream.find_plate()
        assert stream.plate.state == "ready", "another wish counts"


async def test_a_first_plate_that_was_forgotten_is_not_watched_for_again():
    with stream_of(ScriptedEngine()) as stream:
        await wishing(stream, Scenery(plate="first"))
        await stream.plate.forget()
        for _ in range(2):
            # A relay looks for it with each of its connections.
            await stream.find_plate()
        assert stream.plate.first is None


async def test_who_takes_a_stream_over_may_wish_again():
    with stream_of(ScriptedEngine()) as stream:
        await wishing(stream)
        await stream.plate.forget()
        await stream.belong_to(Caller(trusted=True), Claim.SUCCESSOR)
        await wishing(stream)
        await stream.find_plate()
        assert stream.plate.state == "ready"


async def test_a_connection_that_ends_while_a_plate_is_taken_leaves_none_for_the_next_one_to_take():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        await wishing(stream)
        with busy(engine):
            finding = asyncio.create_task(stream.find_plate())
            await until(lambda: stream.plate.owner == NOBODY, what="the engine is asked")
            finding.cancel()
            await asyncio.wait([finding])
        assert await stream.plate.picture() is None, "nobody would know of it"
        assert (stream.plate.state, stream.plate.owner) == ("none", None)
        await stream.find_plate()
        assert (stream.plate.state, stream.plate.owner) == ("ready", digest(OTHER))


async def test_a_room_that_is_being_captured_is_not_opened_by_the_key_of_the_plate_before():
    engine = ScriptedEngine()
    with stream_of(engine) as stream:
        await stream.plate.load(HALL, digest(OTHER))
        async with filmed(stream):
            with busy(engine):
                capturing = asyncio.create_task(stream.plate.capture())
                await until(lambda: stream.plate.owner != digest(OTHER), what="the engine is asked")
                assert not stream.plate.opened_by(OTHER)
                assert not stream.plate.opened_by(KEY)
            await capturing
        assert stream.plate.owner is None


class Refusing(ScriptedEngine):
    """Takes pictures as plates but no captures, or the other way round."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self.call = call

    def open_stream(self) -> ScriptedStream:
        stream = super().open_stream()

        def refuse(*_: object) -> PlateReport:
            raise PlateRefused("too-dark")

        setattr(stream, self.call, refuse)
        return stream


async def test_after_a_refused_capture_the_kept_plate_is_its_owners_as_before():
    with stream_of(Refusing("_learn")) as stream:
        await stream.plate.load(HALL, digest(OTHER))
        async with filmed(stream):
            with pytest.raises(PlateRefused):
                await stream.plate.capture()
        assert (stream.plate.state, stream.plate.owner) == ("ready", digest(OTHER))
        assert await stream.plate.picture() is not None


async def test_a_picture_that_is_refused_leaves_nothing_of_a_first_plate_that_it_overtook():
    engine = Refusing("_load")
    with stream_of(engine) as stream:
        with busy(engine):
            shots = [np.full((36, 32), 90, np.uint8)] * 9
            learning = asyncio.create_task(stream.plate._learn_first(shots))
            await settled()
            loading = asyncio.create_task(stream.plate.load(ROOM))
            await settled()
        assert not await learning
        with pytest.raises(PlateRefused):
            await loading
        assert stream.plate.state == "none"
        assert await stream.plate.picture() is None

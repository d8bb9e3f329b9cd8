"""mediasoup has no WHIP of its own: an application next to it carries the video both ways.

That application is the recipe: consume, publish to the gateway, watch, produce.
"""

from pathlib import Path

import pytest

from tests.sfu.film import FilmCamera
from tests.sfu.mediasoup import mediasoup, participant
from tests.sfu.probe import publishing, receiving, seeing
from tests.sfu.stream import TOKEN, stands_before_the_hills, stream

pytestmark = pytest.mark.sfu


async def test_an_application_brings_the_composite_into_the_room(tmp_path: Path, gateway: str):
    camera = FilmCamera()
    async with (
        mediasoup(tmp_path),
        participant() as person,
        participant() as application,
        participant() as guest,
        stream(gateway, "mediasoup") as middle,
    ):
        there = await application.consume(await person.produce(camera))
        async with (
            publishing(middle.whip, there, token=TOKEN),
            receiving(middle.whep, token=TOKEN) as back,
        ):
            seen = await guest.consume(await application.produce(back))
            async with seeing(seen, "mediasoup") as eye:
                await stands_before_the_hills(middle, eye, camera)

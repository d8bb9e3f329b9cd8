"""Janus with Meetecho's servers: WHIP into a room, and WHEP out of it by counter-offers (406).

The relay answers those, and pushes the composite to the one beside the camera.
"""

from pathlib import Path

import pytest

from tests.sfu.film import FilmCamera
from tests.sfu.janus import janus
from tests.sfu.probe import publishing, watching
from tests.sfu.relay import learns_the_plate, relay
from tests.sfu.whep_server import whep_server
from tests.sfu.whip_server import TOKEN, endpoint, whip_server

pytestmark = pytest.mark.sfu


async def test_the_room_alone_shows_the_camera_as_it_is(tmp_path: Path):
    async with (
        janus(tmp_path) as room,
        whip_server(tmp_path, ["camera"]),
        whep_server(tmp_path) as offer,
        publishing(endpoint("camera"), FilmCamera(), token=TOKEN),
    ):
        url = await offer("camera", await room.publisher("camera"))
        async with watching(url, name="janus alone") as eye:
            await eye.sees_the_room()


async def test_the_relay_puts_the_composite_into_the_room(tmp_path: Path):
    camera = FilmCamera()
    async with (
        janus(tmp_path) as room,
        whip_server(tmp_path, ["camera", "composite"]),
        whep_server(tmp_path) as offer,
        publishing(endpoint("camera"), camera, token=TOKEN),
    ):
        source = await offer("camera", await room.publisher("camera"))
        async with relay(source, endpoint("composite"), tmp_path, sink_token=TOKEN) as between:
            composite = await offer("composite", await room.publisher("composite"))
            async with watching(composite, name="janus") as eye:
                await learns_the_plate(between)
                await eye.sees_only_the_backdrop()
                camera.person = True
                await eye.sees_the_person_before_the_backdrop()
                eye.never_saw_the_room()

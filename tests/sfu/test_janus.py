"""Janus with Meetecho's servers: WHIP into a room, and WHEP out of it by counter-offers (406)."""

from pathlib import Path

import pytest

from tests.sfu.film import FilmCamera
from tests.sfu.janus import janus
from tests.sfu.probe import publishing, watching
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

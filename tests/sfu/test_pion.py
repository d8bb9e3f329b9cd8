"""Pion, the engine of LiveKit, MediaMTX and Galène: the relay pulls from it and pushes to it."""

from pathlib import Path

import pytest

from tests.sfu.film import FilmCamera
from tests.sfu.pion import pion, whep, whip
from tests.sfu.probe import publishing, watching
from tests.sfu.relay import learns_the_plate, relay

pytestmark = pytest.mark.sfu


async def test_the_sfu_alone_shows_the_room(tmp_path: Path):
    # What every other test here must never see; and that these clients would see it.
    async with (
        pion(tmp_path),
        publishing(whip("desk"), FilmCamera()),
        watching(whep("desk"), name="pion alone") as eye,
    ):
        await eye.sees_the_room()
        assert eye.rooms > 0


async def test_the_relay_puts_the_composite_beside_the_camera(tmp_path: Path):
    camera = FilmCamera()
    async with (
        pion(tmp_path),
        publishing(whip("camera"), camera),
        relay(whep("camera"), whip("composite"), tmp_path) as between,
        watching(whep("composite"), name="pion") as eye,
    ):
        await learns_the_plate(between)
        await eye.sees_only_the_backdrop()
        camera.person = True
        await eye.sees_the_person_before_the_backdrop()
        eye.never_saw_the_room()

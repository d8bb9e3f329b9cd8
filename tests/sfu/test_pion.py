"""Pion, the engine of LiveKit, MediaMTX and Galène: what any SFU shows without us."""

from pathlib import Path

import pytest

from tests.sfu.film import FilmCamera
from tests.sfu.pion import pion, whep, whip
from tests.sfu.probe import publishing, watching

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

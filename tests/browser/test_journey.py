"""The main job: a person opens the page, steps aside, and sees themselves somewhere else."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.browser.camera_clip import CameraClip
from tests.browser.conftest import Open
from tests.browser.likeness import backdrop_error, covering, load, room_share
from tests.browser.server import Server
from tests.browser.visitor import HILLS, Visitor

CLIP = CameraClip()
BEFORE_HILLS = covering(load(HILLS.path), CLIP.width, CLIP.height)


def test_a_visitor_captures_the_room_and_stands_before_a_backdrop(
    server: Server, open_page: Open, request: pytest.FixtureRequest
):
    visitor = Visitor(open_page(server.url, CLIP), CLIP)
    visitor.start()
    visitor.choose(HILLS.id)

    visitor.capture_background()

    visitor.sees_the_plate_is_ready()
    visitor.stands_before(BEFORE_HILLS)
    if target := request.config.getoption("--screenshot"):
        visitor.photograph(Path(target))
    visitor.choose_colour("#7a1fa2")
    visitor.stands_before(np.full_like(BEFORE_HILLS, (0x7A, 0x1F, 0xA2)))
    visitor.sees_numbers_move()
    assert (visitor.number("width"), visitor.number("height")) == (CLIP.width, CLIP.height)


def test_until_the_room_is_captured_only_the_backdrop_is_sent(server: Server, open_page: Open):
    visitor = Visitor(open_page(server.url, CLIP), CLIP)
    visitor.start()
    visitor.choose(HILLS.id)

    visitor.until(visitor.source, visitor.is_standing, "the person to stand in the room")

    for composite in islice(visitor.frames(visitor.composite), 5):
        assert room_share(composite, BEFORE_HILLS, CLIP) < 0.05
        assert backdrop_error(composite, BEFORE_HILLS, CLIP) < 10
        assert not visitor.is_standing(composite)

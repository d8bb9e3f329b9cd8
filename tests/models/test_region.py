"""Parts of frames, in pixels and of thumbnails."""

from __future__ import annotations

import numpy as np

from models import colour
from models.region import Region

SIZE = (48, 64)


def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (72, 64), dtype=np.uint8)


def test_a_part_shows_what_the_frame_shows_there():
    region = Region(8, 20, 16, 24)
    part = colour.part(frame(), region)
    assert (colour.to_rgb(part) == colour.to_rgb(frame())[region.pixels]).all()


def test_all_of_a_frame_is_the_frame():
    source = frame()
    assert colour.part(source, Region.whole(SIZE)) is source


def test_a_part_is_put_where_it_was_and_nowhere_else():
    region, target = Region(0, 40, 48, 24), np.zeros_like(frame())
    colour.put(colour.part(frame(), region), target, region)
    assert (colour.part(target, region) == colour.part(frame(), region)).all()
    assert not colour.part(target, Region(0, 0, 48, 40)).any()


def test_regions_share_a_thumbnail_without_gap():
    left, right = Region(0, 0, 480, 372), Region(0, 372, 480, 482)
    cells = [each.scaled((480, 854), (72, 128)) for each in (left, right)]
    assert cells[0].left + cells[0].width == cells[1].left
    assert cells[1].left + cells[1].width == 128
    assert all((each.top, each.height) == (0, 72) for each in cells)


def test_a_region_knows_its_share():
    assert Region(0, 40, 48, 16).share(SIZE) == 0.25

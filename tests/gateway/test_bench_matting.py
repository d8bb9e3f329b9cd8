"""The card stays in the picture: the network that ships takes it for what the person holds."""

import pytest

from gateway.bench import card
from gateway.bench.reel import drawn
from models.backdrop import Colour
from models.engine import open_engine

WIDTH, HEIGHT = 320, 180


@pytest.mark.slow
def test_numbers_are_read_from_composites_of_the_real_network():
    reel = drawn(WIDTH, HEIGHT)
    engine = open_engine(weights=None, device="cpu")
    try:
        stream = engine.open_stream()
        stream.learn_plate([reel.plain(tick) for tick in range(9)]).result()
        stream.set_backdrop(Colour(0x5A, 0x64, 0x72)).result()
        composites = [stream.composite(reel.numbered(tick)).result() for tick in (1000, 1010, 1020)]
        stream.close()
    finally:
        engine.close()
    assert [card.read(each.pixels[:HEIGHT]) for each in composites] == [1000, 1010, 1020]
    assert all(each.has_plate and each.validity == "good" for each in composites)
    # The room is gone: the window's corner is the backdrop's colour.
    corner = composites[-1].pixels[20:30, 20:30]
    assert abs(float(corner.mean()) - float(composites[-1].pixels[5, 160])) < 12

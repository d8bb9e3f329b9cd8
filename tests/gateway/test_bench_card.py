"""The numbered card: what is drawn by a camera is read by a viewer, or not at all."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from av import CodecContext, VideoFrame

from gateway.bench import card
from gateway.bench.reel import Reel, drawn
from gateway.bench.scene import Scene

NUMBERS = (0, 1, 255, 12345, 43690, 65535)
WIDTH, HEIGHT = 320, 180


@pytest.fixture(scope="module")
def reel() -> Reel:
    return drawn(WIDTH, HEIGHT)


def luma(number: int, width: int = WIDTH, height: int = HEIGHT) -> card.Luma:
    plane = np.full((height, width), 128, np.uint8)
    card.draw(plane, number)
    return plane


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("size", [(160, 90), (640, 360), (1280, 720), (854, 480)])
def test_a_number_is_read_as_it_was_drawn(number: int, size: tuple[int, int]):
    assert card.read(luma(number, *size)) == number


def test_numbers_beyond_16_bits_are_unwrapped_by_the_newest_that_was_drawn():
    assert card.read(luma(65536 + 7)) == 7
    assert card.unwrap(7, newest=65536 + 20) == 65536 + 7
    assert card.unwrap(65530, newest=65536 + 3) == 65530
    assert card.unwrap(5, newest=5) == 5


@pytest.mark.parametrize("codec", ["libvpx", "libx264"])
def test_a_number_survives_a_starved_codec(codec: str, reel: Reel):
    encoder = CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.framerate, encoder.bit_rate = 30, 80_000
    encoder.options = {"deadline": "realtime"} if codec == "libvpx" else {"tune": "zerolatency"}
    decoder = CodecContext.create("vp8" if codec == "libvpx" else "h264", "r")
    sent = range(1000, 1030)
    read = []
    for tick in [*sent, None]:
        frame = None
        if tick is not None:
            frame = VideoFrame.from_ndarray(reel.numbered(tick), format="yuv420p")
            frame.pts = tick - sent[0]
        for packet in encoder.encode(frame):
            read += [card.read(each.to_ndarray()[:HEIGHT]) for each in decoder.decode(packet)]
    assert [number for number in read if number is not None] == list(sent)[: len(read)]
    assert len(read) >= len(sent) - 2


@pytest.mark.parametrize("size", [(160, 90), (240, 136), (960, 540)])
def test_a_number_survives_a_change_of_size(size: tuple[int, int]):
    assert card.read(np.asarray(cv2.resize(luma(54321), size), np.uint8)) == 54321


@pytest.mark.parametrize("backdrop", [0, 90, 255])
@pytest.mark.parametrize("alpha", [1.0, 0.6, 0.3])
def test_a_number_shines_through_an_uncertain_matte(alpha: float, backdrop: int):
    composite = alpha * luma(43690) + (1 - alpha) * backdrop
    assert card.read(np.rint(composite).astype(np.uint8)) == 43690


def test_a_composite_without_the_person_has_no_number(reel: Reel):
    assert card.read(np.full((HEIGHT, WIDTH), 90, np.uint8)) is None
    assert card.read(reel.plain(3)[:HEIGHT]) is None


def test_a_card_with_one_wrong_cell_is_not_read():
    for column in range(card.COLUMNS // 2):
        plane = luma(12345)
        wide = (card.RIGHT - card.LEFT) * WIDTH / card.COLUMNS
        left = round(card.LEFT * WIDTH + 2 * column * wide)
        top = round(card.TOP * HEIGHT)
        pair = plane[top : top + 8, left : left + round(2 * wide)]
        pair[:] = pair[:, ::-1].copy()
        assert card.read(plane) is None


def test_the_checksum_tells_every_pair_of_neighbours_apart():
    sums = [card.checksum(number) for number in range(512)]
    assert all(a != b for a, b in pairwise(sums))


def test_ink_and_paper_both_differ_from_the_wall_behind():
    grey = Scene(WIDTH, HEIGHT).room.mean(axis=2)
    left, right, top, bottom = card.paper(WIDTH, HEIGHT)
    behind = grey[top:bottom, left:right]
    assert behind.min() - card.INK > 60
    assert card.PAPER - behind.max() > 60


def test_the_camera_shows_the_plate_and_then_somebody_in_it(reel: Reel):
    empty, present = reel.plain(0)[:HEIGHT].astype(int), reel.numbered(0)[:HEIGHT].astype(int)
    changed = np.abs(present - empty) > 24
    assert 0.15 < changed.mean() < 0.6
    # The furniture at the sides stays.
    assert changed[:, : WIDTH // 5].mean() < 0.01


def test_frames_are_the_callers_own(reel: Reel):
    first = reel.numbered(5)
    first[:] = 0
    assert card.read(reel.numbered(5)[:HEIGHT]) == 5

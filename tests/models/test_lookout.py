"""Where in a frame somebody may be: strips that hold whoever differs from the plate."""

from __future__ import annotations

import numpy as np
import pytest

from models.lookout import DIFFERENT, LONGEST_UNSEEN, PATIENCE, Lookout
from models.region import Region
from models.tracking import THUMBNAIL

SIZE = (360, 640)
WHOLE = Region.whole(SIZE)
NOBODY = np.zeros(THUMBNAIL, np.float32)


def somebody(first: int, last: int) -> np.ndarray:
    """Differs from the plate in these columns of 128, in the lower half."""
    apart = NOBODY.copy()
    apart[36:, first:last] = 2 * DIFFERENT
    return apart


class Clock:
    """Seconds, a hundredth of one a frame unless somebody turns it on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lookout(clock: Clock) -> Lookout:
    return Lookout(clock)


def look(lookout: Lookout, apart: np.ndarray, alpha: np.ndarray | None = NOBODY) -> Region:
    return lookout.region(SIZE, apart, alpha, lambda _: True)


def holds(region: Region, first: int, last: int) -> bool:
    """Whether it has these columns of 128, in pixels of a frame of 640."""
    return region.left <= 5 * first and 5 * last <= region.left + region.width


def test_a_person_at_a_desk_needs_half_of_the_width(lookout: Lookout):
    region = look(lookout, somebody(45, 90))
    assert region.width == 320
    assert region.height == 360
    assert holds(region, 41, 94)


def test_what_only_alpha_knows_is_held_too(lookout: Lookout):
    arm = np.zeros(THUMBNAIL, np.float32)
    arm[40, 30:45] = 0.5  # before a wall of its colour
    assert holds(look(lookout, somebody(45, 80), arm), 26, 84)


def test_whoever_comes_in_from_the_side_is_seen_in_the_same_frame(lookout: Lookout):
    assert not holds(look(lookout, somebody(80, 110)), 2, 12)
    entering = np.maximum(somebody(80, 110), somebody(2, 12))
    assert holds(look(lookout, entering), 0, 110)


def test_noise_in_single_cells_is_nobody(lookout: Lookout):
    apart = NOBODY.copy()
    apart[10, ::9] = 2 * DIFFERENT
    assert look(lookout, apart).width == 320


def test_one_who_fills_the_picture_is_seen_whole(lookout: Lookout):
    assert look(lookout, somebody(8, 120)) == WHOLE
    assert lookout.usual


def test_without_an_alpha_to_go_by_the_frame_is_seen_whole(lookout: Lookout):
    look(lookout, somebody(50, 70))
    assert look(lookout, somebody(50, 70), None) == WHOLE
    assert not lookout.usual


def test_no_more_than_a_second_passes_without_a_whole_frame(lookout: Lookout, clock: Clock):
    wholes = []
    for _ in range(400):
        if look(lookout, somebody(50, 70)) == WHOLE:
            assert not lookout.usual
            wholes.append(clock.now)
    assert len(wholes) == 3
    assert np.diff([0.0, *wholes]).max() <= LONGEST_UNSEEN + 0.02


def test_a_strip_stays_while_it_holds_the_person(lookout: Lookout):
    first = look(lookout, somebody(45, 80))
    assert look(lookout, somebody(48, 84)) == first
    assert lookout.usual


def test_a_strip_follows_whoever_leaves_it(lookout: Lookout):
    first = look(lookout, somebody(10, 40))
    second = look(lookout, somebody(80, 110))
    assert second.width == first.width
    assert holds(second, 80, 110)


def test_a_strip_shrinks_only_after_a_while(lookout: Lookout, clock: Clock):
    wide = look(lookout, somebody(20, 100)).width
    clock.now += 0.9 * PATIENCE
    assert look(lookout, somebody(45, 80)).width == wide
    clock.now += 0.2 * PATIENCE
    look(lookout, somebody(45, 80))  # whole: a second has passed
    assert look(lookout, somebody(45, 80)).width == 320


def test_a_moment_of_width_keeps_a_strip_wide(lookout: Lookout, clock: Clock):
    wide = look(lookout, somebody(20, 100)).width
    for _ in range(3):
        clock.now += 0.6 * PATIENCE
        regions = [look(lookout, somebody(45, 80)) for _ in range(2)]
        assert regions[-1].width == wide
        look(lookout, somebody(20, 100))
        look(lookout, somebody(20, 100))


def test_moving_is_no_reason_to_shrink(lookout: Lookout):
    wide = look(lookout, somebody(5, 85)).width
    assert look(lookout, somebody(90, 120)).width == wide


def test_until_a_strip_can_be_had_the_frame_is_seen_whole(lookout: Lookout):
    apart = somebody(50, 70)
    assert lookout.region(SIZE, apart, NOBODY, lambda _: False) == WHOLE
    assert not lookout.usual
    assert look(lookout, apart).width == 320
    assert lookout.usual


def test_where_a_strip_cannot_be_had_at_all_whole_frames_are_usual(lookout: Lookout):
    assert lookout.region(SIZE, somebody(50, 70), NOBODY, lambda _: None) == WHOLE
    assert lookout.usual


def test_upright_frames_have_strips_across_their_height(lookout: Lookout):
    apart = NOBODY.copy()
    apart[30:50] = 2 * DIFFERENT
    region = lookout.region((640, 360), apart, NOBODY, lambda _: True)
    assert region.width == 360
    assert region.height == 320
    assert region.top <= 640 * 30 / 72
    assert region.top + region.height >= 640 * 50 / 72


@pytest.mark.parametrize("size", [(360, 640), (480, 854), (1080, 1918), (854, 480), (90, 66)])
@pytest.mark.parametrize("first", range(0, 120, 7))
def test_strips_lie_inside_the_frame_on_even_pixels(
    lookout: Lookout, size: tuple[int, int], first: int
):
    region = lookout.region(size, somebody(first, first + 8), NOBODY, lambda _: True)
    ends = (region.top, region.left, region.top + region.height, region.left + region.width)
    assert all(end % 2 == 0 for end in ends)
    assert 0 <= region.top < ends[2] <= size[0]
    assert 0 <= region.left < ends[3] <= size[1]


def test_a_strip_keeps_its_place_when_frames_become_smaller(lookout: Lookout):
    large = lookout.region((720, 1280), somebody(60, 100), NOBODY, lambda _: True)
    assert lookout.shape(SIZE) == (360, large.width // 2)
    small = look(lookout, somebody(70, 90))
    assert abs(small.left - large.left / 2) <= 4
    assert small.width == large.width / 2

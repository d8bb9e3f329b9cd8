"""Where in a frame somebody may be: strips that hold whoever differs from the plate."""

from __future__ import annotations

import numpy as np
import pytest

from models.lookout import DIFFERENT, PATIENCE, WHOLE_EVERY, Lookout
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


def look(lookout: Lookout, apart: np.ndarray, alpha: np.ndarray | None = NOBODY) -> Region:
    return lookout.region(SIZE, apart, alpha, lambda _: True)


def holds(region: Region, first: int, last: int) -> bool:
    """Whether it has these columns of 128, in pixels of a frame of 640."""
    return region.left <= 5 * first and 5 * last <= region.left + region.width


def test_a_person_at_a_desk_needs_half_of_the_width():
    region = look(Lookout(), somebody(45, 90))
    assert region.width == 320
    assert region.height == 360
    assert holds(region, 40, 95)


def test_what_only_alpha_knows_is_held_too():
    arm = np.zeros(THUMBNAIL, np.float32)
    arm[40, 30:45] = 0.5  # before a wall of its colour
    assert holds(look(Lookout(), somebody(45, 80), arm), 26, 84)


def test_whoever_comes_in_from_the_side_is_seen_in_the_same_frame():
    lookout = Lookout()
    assert not holds(look(lookout, somebody(80, 110)), 2, 12)
    entering = np.maximum(somebody(80, 110), somebody(2, 12))
    assert holds(look(lookout, entering), 0, 110)


def test_noise_in_single_cells_is_nobody():
    apart = NOBODY.copy()
    apart[10, ::9] = 2 * DIFFERENT
    assert look(Lookout(), apart).width == 320


def test_one_who_fills_the_picture_is_seen_whole():
    assert look(Lookout(), somebody(10, 120)) == WHOLE


def test_without_an_alpha_to_go_by_the_frame_is_seen_whole():
    lookout = Lookout()
    look(lookout, somebody(50, 70))
    assert look(lookout, somebody(50, 70), None) == WHOLE


def test_one_frame_in_many_is_seen_whole_whatever_was_found():
    lookout = Lookout()
    wholes = [look(lookout, somebody(50, 70)) == WHOLE for _ in range(3 * WHOLE_EVERY)]
    assert sum(wholes) == 3


def test_a_strip_stays_while_it_holds_the_person():
    lookout = Lookout()
    first = look(lookout, somebody(45, 80))
    assert look(lookout, somebody(48, 84)) == first


def test_a_strip_follows_whoever_leaves_it():
    lookout = Lookout()
    first = look(lookout, somebody(10, 40))
    second = look(lookout, somebody(80, 110))
    assert second.width == first.width
    assert holds(second, 80, 110)


def test_a_strip_shrinks_only_after_a_while_and_never_for_a_moment():
    lookout = Lookout()
    wide = look(lookout, somebody(20, 100)).width
    widths = []
    for _ in range(WHOLE_EVERY + PATIENCE):
        region = look(lookout, somebody(45, 80))
        if region != WHOLE:
            widths.append(region.width)
    assert set(widths[: PATIENCE - 2]) == {wide}
    assert widths[-1] == 320


def test_moving_is_no_reason_to_shrink():
    lookout = Lookout()
    wide = look(lookout, somebody(5, 85)).width
    assert look(lookout, somebody(90, 120)).width == wide


def test_until_a_strip_can_be_had_the_frame_is_seen_whole():
    lookout = Lookout()
    apart = somebody(50, 70)
    assert lookout.region(SIZE, apart, NOBODY, lambda _: False) == WHOLE
    assert look(lookout, apart).width == 320


def test_upright_frames_have_strips_across_their_height():
    lookout = Lookout()
    apart = NOBODY.copy()
    apart[30:50] = 2 * DIFFERENT
    region = lookout.region((640, 360), apart, NOBODY, lambda _: True)
    assert region.width == 360
    assert region.height == 320
    assert region.top <= 640 * 30 / 72
    assert region.top + region.height >= 640 * 50 / 72


@pytest.mark.parametrize("size", [(360, 640), (480, 854), (1080, 1918), (854, 480), (90, 66)])
@pytest.mark.parametrize("first", range(0, 120, 7))
def test_strips_lie_inside_the_frame_on_even_pixels(size: tuple[int, int], first: int):
    region = Lookout().region(size, somebody(first, first + 8), NOBODY, lambda _: True)
    ends = (region.top, region.left, region.top + region.height, region.left + region.width)
    assert all(end % 2 == 0 for end in ends)
    assert 0 <= region.top < ends[2] <= size[0]
    assert 0 <= region.left < ends[3] <= size[1]


def test_another_size_begins_anew():
    lookout = Lookout()
    look(lookout, somebody(2, 20))
    region = lookout.region((720, 1280), somebody(100, 126), NOBODY, lambda _: True)
    assert region.left + region.width == 1280

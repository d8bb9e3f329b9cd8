"""Who may share an encoder, and who moves when."""

from itertools import pairwise

import pytest

from gateway.renditions.ladder import HOLD, MARGIN, MISTAKE, Climb, Ladder
from gateway.transport.encoders import Downlink
from tests.gateway.audience import DOWNLINK, Clock

LADDER = Ladder(DOWNLINK)


def test_rungs_lead_from_the_minimum_to_the_maximum_in_even_steps():
    floors = LADDER.floors
    assert floors[0] == DOWNLINK.minimum
    steps = [above / below for below, above in pairwise([*floors, DOWNLINK.maximum])]
    assert all(1.25 < step < 1.4 for step in steps)


def test_a_downlink_with_one_rate_has_one_rung():
    assert Ladder(Downlink(1_000_000, 1_000_000, 1_000_000)).floors == (1_000_000,)


@pytest.mark.parametrize(("bitrate", "rung"), [(1, 0), (300_000, 0), (8_000_000, 10)])
def test_everybody_has_a_rung(bitrate: int, rung: int):
    assert LADDER.rung(bitrate) == rung


def test_the_way_down_is_taken_at_once():
    assert Climb(LADDER, Clock()).wanted(5, LADDER.floors[2]) == 2


def test_the_way_up_is_taken_when_the_line_has_long_allowed_it():
    clock = Clock()
    climb = Climb(LADDER, clock)
    enough = int(LADDER.floors[3] * MARGIN) + 1
    assert climb.wanted(2, enough) == 2
    clock.now += HOLD / 2
    assert climb.wanted(2, enough) == 2
    clock.now += HOLD / 2
    assert climb.wanted(2, enough) == 3


def test_one_weak_moment_begins_the_wait_anew():
    clock = Clock()
    climb = Climb(LADDER, clock)
    enough = int(LADDER.floors[3] * MARGIN) + 1
    climb.wanted(2, enough)
    clock.now += HOLD - 0.1
    assert climb.wanted(2, LADDER.floors[3]) == 2
    clock.now += 0.2
    assert climb.wanted(2, enough) == 2


def test_several_rungs_are_taken_at_once_but_none_that_was_in_doubt():
    clock = Clock()
    climb = Climb(LADDER, clock)
    climb.wanted(1, 8_000_000)
    clock.now += HOLD / 2
    climb.wanted(1, int(LADDER.floors[4] * MARGIN) + 1)
    clock.now += HOLD / 2
    assert climb.wanted(1, 8_000_000) == 4


def test_who_went_up_by_mistake_waits_twice_as_long_the_next_time():
    clock = Clock()
    climb = Climb(LADDER, clock)
    enough = int(LADDER.floors[3] * MARGIN) + 1

    def seconds_to_climb() -> float:
        began = clock.now
        while climb.wanted(2, enough) == 2:
            clock.now += 0.5
        return clock.now - began

    assert seconds_to_climb() == HOLD
    assert climb.wanted(3, LADDER.floors[2]) == 2
    assert seconds_to_climb() == 2 * HOLD
    clock.now += MISTAKE
    assert climb.wanted(3, LADDER.floors[2]) == 2
    assert seconds_to_climb() == HOLD, "it was no mistake for long enough"


@pytest.mark.parametrize("rung", range(10))
def test_whoever_sits_beside_a_line_without_estimates_can_show_that_the_next_rung_fits(rung: int):
    """An estimator stops at 1.5 times what arrives; an encoder may stay 5 % below its rate."""
    shared = LADDER.floors[rung]
    assert LADDER.safe_rung(1.5 * 0.95 * shared) > rung


def test_an_estimate_that_swings_around_a_rung_moves_nobody_up_again():
    clock = Clock()
    climb = Climb(LADDER, clock)
    rung = 4
    for n in range(100):
        clock.now += 0.5
        swing = 1.04 if n % 2 else 0.96
        rung = climb.wanted(rung, int(LADDER.floors[4] * swing))
    assert rung == 3

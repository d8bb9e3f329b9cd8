"""When missing packets are asked for."""

import pytest

from gateway.transport.gaps import FIRST_GUESS, MOST_ASKED, Gaps


def test_a_missing_packet_is_asked_for_at_once_and_again_after_a_round_trip():
    gaps = Gaps()
    gaps.arrived(10, 0.0)
    assert gaps.arrived(13, 0.0) == (True, False)
    assert gaps.due(0.0) == [11, 12]
    assert gaps.due(0.1) == []
    assert gaps.next_due() == pytest.approx(1.25 * FIRST_GUESS)
    assert gaps.due(0.126) == [11, 12]


def test_it_is_not_asked_for_without_end():
    gaps = Gaps()
    gaps.arrived(0, 0.0)
    gaps.arrived(2, 0.0)
    assert sum(len(gaps.due(n / 100)) for n in range(190)) == MOST_ASKED
    assert gaps.next_due() is None


def test_the_round_trip_is_learnt_from_what_comes_back():
    gaps = Gaps()
    for n in range(0, 60, 2):
        gaps.arrived(n, float(n))
        gaps.due(float(n))
        gaps.arrived(n - 1, n + 0.03)
    assert gaps.round_trip == pytest.approx(0.03, abs=0.002)
    assert gaps.patience == 0.12
    for n in range(60, 120, 2):
        gaps.arrived(n, float(n))
        gaps.due(float(n))
        gaps.arrived(n - 1, n + 0.2)
    assert gaps.patience == pytest.approx(0.6, abs=0.05)


def test_even_a_packet_that_was_given_up_tells_the_round_trip():
    gaps = Gaps()
    gaps.arrived(0, 0.0)
    gaps.arrived(2, 0.0)
    gaps.due(0.0)
    gaps.give_up(3)
    assert gaps.due(0.5) == []
    gaps.arrived(1, 0.5)
    assert gaps.round_trip > FIRST_GUESS


def test_packets_that_were_overtaken_tell_no_round_trip():
    gaps = Gaps()
    for n in range(0, 40, 2):
        gaps.arrived(n + 1, float(n))
        gaps.due(float(n))
        gaps.arrived(n, n + 0.002)
    assert gaps.round_trip == FIRST_GUESS

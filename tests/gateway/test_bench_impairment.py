"""What a bad line does, decided by its seed."""

import pytest

from gateway.bench.impairment import OVERTAKEN, Fate, Impairment

TIMES = [n / 100 for n in range(5000)]


def dues(impairment: Impairment, seed: str = "7 up") -> list[float | None]:
    fate = Fate(impairment, seed)
    return [fate.due(at) for at in TIMES]


def test_the_same_seed_gives_the_same_fates():
    line = Impairment(loss=0.05, delay=0.02, jitter=0.01, reorder=0.02)
    assert dues(line) == dues(line)
    assert dues(line) != dues(line, "8 up")
    assert dues(line) != dues(line, "7 down")


def test_another_option_does_not_change_which_packets_are_lost():
    lost = [due is None for due in dues(Impairment(loss=0.05))]
    both = [due is None for due in dues(Impairment(loss=0.05, jitter=0.03, reorder=0.1))]
    assert lost == both


def test_the_share_that_is_lost_is_the_one_asked_for():
    lost = sum(due is None for due in dues(Impairment(loss=0.05)))
    assert 0.035 < lost / len(TIMES) < 0.065


def test_a_line_without_faults_delivers_at_once():
    assert not Impairment().any
    assert dues(Impairment()) == TIMES


def test_delay_is_a_constant_and_jitter_keeps_the_order():
    assert dues(Impairment(delay=0.04)) == [at + 0.04 for at in TIMES]
    shaken = dues(Impairment(delay=0.04, jitter=0.05))
    assert shaken == sorted(shaken)
    late = [due - at for due, at in zip(shaken, TIMES, strict=True)]
    assert min(late) >= 0.04 - 1e-9
    assert max(late) <= 0.09 + 1e-9


def test_reordered_packets_are_overtaken():
    found = dues(Impairment(reorder=0.1))
    late = [due for due, at in zip(found, TIMES, strict=True) if due > at]
    assert 0.07 < len(late) / len(TIMES) < 0.13
    assert found != sorted(found)
    assert late[0] == pytest.approx(TIMES[found.index(late[0])] + OVERTAKEN)


def test_in_a_burst_nothing_passes_and_around_it_everything():
    line = Impairment(burst=0.3, burst_every=2.0)
    silent = [at for at, due in zip(TIMES, dues(line), strict=True) if due is None]
    assert silent[0] == 2.0
    assert {int(at) for at in silent} == {n for n in range(50) if n % 2 == 0 and n}
    assert max(at % 2.0 for at in silent) < 0.3


def test_bursts_are_told_if_they_end_in_time():
    line = Impairment(burst=0.5, burst_every=2.0)
    assert line.bursts(6.2) == [(2.0, 2.5), (4.0, 4.5)]
    assert line.bursts(6.5) == [(2.0, 2.5), (4.0, 4.5), (6.0, 6.5)]
    assert Impairment().bursts(60) == []

"""When a server that runs for long is called flat."""

import random

import pytest

from gateway.bench.growth import LIMITS, Limit, growth

HOUR = [float(second) for second in range(0, 3600, 5)]
STRICT = Limit(per_hour=1.0, slack=2.0)


def test_noise_around_a_level_is_flat():
    chance = random.Random(1)
    values = [300 + chance.uniform(-10, 10) for _ in HOUR]
    found = growth("memory_mib", HOUR, values, STRICT)
    assert found.flat
    assert abs(found.per_hour) < 3


def test_filling_caches_in_the_beginning_is_not_held_against_it():
    values = [300 + min(second / 5, 100) for second in HOUR]
    assert growth("memory_mib", HOUR, values, STRICT).flat


def test_a_slow_leak_is_found_and_told_per_hour():
    values = [300 + second * 40 / 3600 for second in HOUR]
    found = growth("memory_mib", HOUR, values, STRICT)
    assert not found.flat
    assert found.per_hour == pytest.approx(40, rel=0.02)
    assert "GROWS" in str(found)


def test_one_thread_lost_with_every_visit_is_found():
    values = [20 + second // 30 for second in HOUR]
    assert not growth("threads", HOUR, values, LIMITS["threads"]).flat


def test_visits_that_come_and_go_are_flat():
    values = [20.0 if second % 35 < 30 else 12.0 for second in HOUR]
    assert growth("threads", HOUR, values, LIMITS["threads"]).flat


def test_shrinking_is_flat():
    assert growth("threads", HOUR, [100 - s / 100 for s in HOUR], STRICT).flat


def test_too_few_samples_are_no_verdict():
    with pytest.raises(ValueError, match="too few"):
        growth("threads", [0.0, 1.0], [3.0, 3.0], STRICT)

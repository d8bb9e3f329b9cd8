"""When a server that runs for long is called flat."""

import argparse
import json
import random

import pytest

from gateway.bench.growth import LIMITS, Growth, Limit, growth
from gateway.bench.soak_command import tell

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


def told(json_wanted: bool, *verdicts: Growth) -> int:
    args = argparse.Namespace(
        json=json_wanted, size=(640, 360), streams=2, fps=30.0, seconds=3600.0
    )
    return tell(args, 120, verdicts)


def test_a_soak_that_grows_fails_and_names_what_grew(capsys: pytest.CaptureFixture[str]):
    flat = growth("threads", HOUR, [20.0 for _ in HOUR], STRICT)
    leak = growth("memory_mib", HOUR, [300 + second / 90 for second in HOUR], STRICT)
    assert told(False, flat) == 0
    assert told(False, flat, leak) == 1
    shown = capsys.readouterr().out
    assert shown.count("GROWS") == 1
    assert "120 visits of 2 at 640x360, 30 fps, over 3600 s" in shown
    assert told(True, flat, leak) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["flat"] is False
    assert found["growth"]["memory_mib"]["per_hour"] == pytest.approx(40, rel=0.02)

import pytest

from gateway.capture import LEAP, SenderClock, Timeline, captured


def test_without_reports_something_was_captured_when_it_could_be_here_at_the_earliest():
    timeline = Timeline()
    assert timeline.at(0.0) is None
    for number, jitter in enumerate((0.03, 0.0, 0.05)):
        timeline.arrived(number / 50, 100.0 + number / 50 + jitter)
    assert timeline.at(2 / 50) == pytest.approx(100.04, abs=0.001)


def test_reports_put_sound_and_picture_on_one_clock_however_late_either_comes():
    clock = SenderClock()
    picture, sound = Timeline(clock), Timeline(clock)
    # Captured together at 5000.0 of the sender's clock; the picture takes 80 ms longer to get here.
    picture.arrived(0.0, 100.18)
    sound.arrived(0.0, 100.1)
    assert picture.at(0.0) - sound.at(0.0) == pytest.approx(0.08)
    picture.reported(5000.5, 0.5, 100.6)
    sound.reported(5001.0, 1.0, 101.1)
    assert picture.at(0.0) == pytest.approx(100.1)
    assert sound.at(0.0) == pytest.approx(100.1)


def test_an_error_of_one_report_moves_the_sound_a_little_only():
    timeline = Timeline()
    timeline.arrived(0.0, 100.0)
    for second in range(10):
        timeline.reported(5000.0 + second, float(second), 100.0 + second)
    before = timeline.at(10.0)
    timeline.reported(5010.02, 10.0, 110.02)
    assert timeline.at(10.0) == pytest.approx(before, abs=0.01)


def test_reports_that_waited_on_their_way_date_nothing_later():
    timeline = Timeline()
    timeline.arrived(0.0, 100.0)
    timeline.reported(5000.0, 0.0, 100.0)
    timeline.reported(5001.0, 1.0, 101.3)
    assert timeline.at(1.0) == pytest.approx(101.0, abs=0.002)


def test_reports_that_cannot_be_true_are_not_believed():
    clock = SenderClock()
    picture, sound = Timeline(clock), Timeline(clock)
    for timeline in (picture, sound):
        timeline.arrived(0.0, 100.0)
    picture.reported(5000.0, 0.0, 100.0)
    # Its own clock, hours away from the picture's.
    sound.reported(777.0, 0.0, 100.0)
    assert (picture.at(1.0), sound.at(1.0)) == (pytest.approx(101.0), pytest.approx(101.0))
    # A timestamp that was captured long before it came.
    picture.reported(5001.0, 1.0 + 2 * LEAP, 101.0)
    assert picture.at(1.0) == pytest.approx(101.0)


def test_a_source_that_counts_anew_is_followed_before_it_reports():
    timeline = Timeline()
    timeline.arrived(10.0, 100.0)
    timeline.reported(5000.0, 10.0, 100.0)
    timeline.arrived(500.0, 101.0)
    assert timeline.at(500.0) == pytest.approx(101.0)


def test_the_clocks_drift_is_followed():
    timeline = Timeline()
    for second in range(1000):
        timeline.arrived(second * 0.9999, 100.0 + second)
    assert timeline.at(999 * 0.9999) == pytest.approx(1099.0, abs=0.01)


def test_a_track_of_which_nothing_is_known_gives_what_is_captured_now():
    assert captured(object(), object(), 7.0) == 7.0

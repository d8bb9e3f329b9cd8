import pytest

from gateway.stats import FrameRate, StreamStats, Totals, exposition


def test_the_frame_rate_is_right_from_the_first_second_on():
    rate = FrameRate()
    for n in range(20):
        rate.mark(10 + n / 30)
    assert rate.per_second(10 + 19 / 30) == pytest.approx(30)


def test_the_frame_rate_falls_when_frames_stop():
    rate = FrameRate()
    for n in range(60):
        rate.mark(n / 30)
    assert rate.per_second(2.0) == pytest.approx(30, abs=1)
    assert rate.per_second(3.5) < 20
    assert rate.per_second(5.0) == 0


def test_one_frame_is_no_rate():
    rate = FrameRate()
    rate.mark(1.0)
    assert rate.per_second(1.0) == 0


def test_counts_are_sums_and_milliseconds_are_averages():
    stats = StreamStats()
    for n in range(40):
        stats.frame_in(n / 20, 640, 360)
        stats.frame_out(n / 20 + 0.05, n / 20, {"base": 10.0, "total": 20.0})
    seen = stats.snapshot(2.0)
    assert (seen.frames_in, seen.frames_out, seen.width, seen.height) == (40, 40, 640, 360)
    assert seen.ms == {"base": 10.0, "total": 20.0}
    assert seen.latency_ms == pytest.approx(50)
    assert seen.fps_in == pytest.approx(20, abs=1)


def test_an_average_forgets_the_first_slow_frame():
    stats = StreamStats()
    stats.frame_out(1, 0, {"total": 900.0})
    for n in range(60):
        stats.frame_out(n, n, {"total": 10.0})
    assert stats.snapshot(60).ms["total"] < 15


def test_the_exposition_counts_streams_that_are_gone_as_well():
    gone, live = StreamStats(frames_in=5), StreamStats(frames_in=7, dropped=2)
    gone.departures.encoded, live.departures.encoded, live.departures.behind = 2, 3, 1
    gone.arrivals.repaired, live.arrivals.repaired, live.arrivals.undecoded = 3, 4, 4
    totals = Totals(sessions=3)
    totals.add(gone)
    text = exposition(totals, [live], {"streams": 1})
    assert "cleanplate_frames_in_total 12" in text
    assert "cleanplate_frames_dropped_total 2" in text
    assert "cleanplate_packets_repaired_total 7" in text
    assert "cleanplate_frames_undecoded_total 4" in text
    assert "cleanplate_frames_encoded_total 5" in text
    assert "cleanplate_frames_behind_total 1" in text
    assert "cleanplate_sessions_total 3" in text
    assert "# TYPE cleanplate_streams gauge\ncleanplate_streams 1\n" in text
    assert totals.frames_in == 5

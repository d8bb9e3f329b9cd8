"""From records to figures."""

from dataclasses import replace

import pytest

from gateway.bench.figures import (
    Latency,
    by_second,
    latencies,
    recoveries,
    stream_figures,
    total_figures,
)
from gateway.bench.impairment import Impairment
from gateway.bench.record import Record

CALM = Impairment()


def record(
    *, fps: int = 10, seconds: int = 4, lag: float = 0.08, missing: tuple[int, ...] = ()
) -> Record:
    """A camera and a viewer `lag` seconds behind it, who misses some numbers."""
    began = 1000.0
    handed = tuple((n, began + n / fps) for n in range((seconds + 1) * fps))
    return Record(
        began=began,
        seconds=float(seconds),
        handed=handed,
        seen=tuple((n, at + lag) for n, at in handed if n not in missing),
        skipped=0,
        unread=len(missing),
        repeated=0,
        traffic=tuple((began + s, 125_000 * s, 250_000 * s) for s in range(seconds + 1)),
        lost_packets=0,
        codec="VP8",
        sizes=((320, 180),),
        server={"latency_ms": 20.0},
    )


def test_latency_is_from_the_encoder_to_the_decoded_composite():
    found = latencies(record(lag=0.08))
    assert len(found) == 40
    assert list(found.values()) == pytest.approx([80.0] * 40)


def test_percentiles_are_those_of_all_frames():
    assert Latency.of(range(101)) == Latency(50.0, 95.0, 99.0)
    assert Latency.of([]) is None


def test_what_is_added_is_less_the_median_of_a_direct_call():
    figures = stream_figures(record(lag=0.08), Latency(30.0, 60.0, 90.0), CALM)
    assert figures.latency == Latency(80.0, 80.0, 80.0)
    assert figures.added == Latency(50.0, 50.0, 50.0)
    assert stream_figures(record(), None, CALM).added is None


def test_rates_and_drops_count_the_measurement_alone():
    # The second of grace after it has ten more frames, which are nobody's.
    figures = stream_figures(record(missing=(3, 4, 41)), None, CALM)
    assert (figures.sent, figures.sent_fps, figures.dropped) == (40, 10.0, 2)
    # The last frame sent within the measurement arrives within it, too: 3.9 s and 0.08.
    assert figures.composited_fps == 9.5


def test_a_frame_that_arrives_after_the_end_is_late_but_not_dropped():
    figures = stream_figures(record(lag=0.5), None, CALM)
    assert figures.dropped == 0
    assert figures.composited_fps == 8.8  # 35 of 40, rounded


def test_traffic_is_kilobits_a_second():
    figures = stream_figures(record(), None, CALM)
    assert (figures.up_kbit, figures.down_kbit) == (1000, 2000)


def test_a_stream_that_shows_nothing_has_no_latency():
    figures = stream_figures(replace(record(), seen=()), Latency(1, 1, 1), CALM)
    assert figures.latency is None
    assert figures.added is None
    assert (figures.composited_fps, figures.dropped) == (0.0, 40)


def test_the_total_sums_rates_and_pools_latencies():
    records = [record(lag=0.05), record(lag=0.25)]
    streams = [stream_figures(each, None, CALM) for each in records]
    total = total_figures(records, streams, None)
    assert total.sent_fps == 20.0
    assert total.sent == 80
    assert total.latency is not None
    assert (total.latency.p50, total.latency.p95) == (150.0, 250.0)


def test_a_second_without_composites_is_a_row_without_latency():
    rows = by_second(record(missing=tuple(range(10, 20)), lag=0.05))
    assert [row["sent"] for row in rows] == [10, 10, 10, 10]
    assert [row["composites"] for row in rows] == [10, 0, 10, 10]
    assert [row["latency_p50_ms"] for row in rows] == [50.0, None, 50.0, 50.0]
    assert rows[0]["down_kbit"] == 2000


BURST = Impairment(burst=0.5, burst_every=2.0)


def after_a_burst(*back: float) -> Record:
    """20 frames a second; none is seen from the burst at 2.0 on until `back`, relative to 2.5."""
    calm = record(fps=20, seconds=6, lag=0.05)
    begin = calm.began
    seen = [
        (n, at)
        for n, at in calm.seen
        if at - begin < 2.0 or (at - begin >= 2.5 + back[0] and at - begin < 4.0)
    ]
    if len(back) > 1:
        seen += [(n, at) for n, at in calm.seen if at - begin >= 4.5 + back[1]]
    return replace(calm, seen=tuple(seen))


def test_recovery_is_from_the_end_of_the_burst_to_composites_that_flow():
    first, second = recoveries(after_a_burst(0.4, 0.1), BURST)
    assert first == pytest.approx(0.4, abs=0.051)
    assert second == pytest.approx(0.1, abs=0.051)


def test_a_stream_that_stays_frozen_did_not_recover():
    assert recoveries(after_a_burst(0.2), BURST)[1] is None


def test_one_lucky_composite_is_no_recovery():
    calm = after_a_burst(0.9, 0.0)
    lucky = next((n, at) for n, at in record(fps=20, seconds=6, lag=0.05).seen if n == 52)
    seen = tuple(sorted({*calm.seen, lucky}))
    first, _ = recoveries(replace(calm, seen=seen), BURST)
    assert first == pytest.approx(0.9, abs=0.051)


def test_frames_from_before_the_burst_are_no_recovery():
    calm = record(fps=20, seconds=6, lag=0.6)
    first, _ = recoveries(calm, BURST)
    # What was sent during the burst still arrives; a frame sent after it comes 0.6 s later.
    assert first == pytest.approx(0.6, abs=0.051)


def test_a_calm_line_has_nothing_to_recover_from():
    assert recoveries(record(), CALM) == ()

"""How a measurement is told: table, CSV, drawing, and what was expected of it."""

import csv
import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gateway.bench.figures import Latency, stream_figures, total_figures
from gateway.bench.impairment import Impairment
from gateway.bench.plan import Plan
from gateway.bench.plot import plot
from gateway.bench.record import Record
from gateway.bench.report import Report, table, write_csv
from gateway.bench.stream_command import misses
from gateway.bench.usage import Gpu, Sample, Usage, cores, usage, usage_figures
from models.processor import busy

DIRECT = Latency(20.0, 25.0, 30.0)


def sample(second: float) -> Sample:
    return Sample(
        server=Usage(100.0 + second, 1.5 * second, 500.0 + second, 24, 40),
        clients=Usage(100.0 + second, 0.5 * second, 300.0, 30, 60),
        gpu=Gpu(0.25, 2048.0),
    )


def report(*lags: float, impairment: Impairment | None = None) -> Report:
    """Streams of four seconds at 10 frames a second, each with its own lag."""
    line = impairment or Impairment()
    plan = Plan(640, 360, fps=10, seconds=4, impairment=line)
    handed = tuple((n, 100 + n / 10) for n in range(50))
    records = [
        Record(
            began=100.0,
            seconds=4.0,
            handed=handed,
            seen=tuple((n, at + lag) for n, at in handed if lag),
            skipped=0,
            unread=3,
            repeated=0,
            traffic=tuple((100.0 + s, 125_000 * s, 250_000 * s) for s in range(5)),
            lost_packets=0,
            codec="VP8",
            sizes=((640, 360),),
            server={"frames_in": 40.0, "latency_ms": 21.0, "base_ms": 12.0, "total_ms": 18.0},
        )
        for lag in lags
    ]
    streams = [stream_figures(each, DIRECT, line) for each in records]
    return Report(
        plan=plan,
        count=len(records),
        settings=["downlink_max=6000"],
        server={"device": "some GPU (cuda:0)", "backend": "torch fp16", "weights": "best-1"},
        streams=streams,
        total=total_figures(records, streams, DIRECT),
        direct=DIRECT,
        records=records,
        samples=[sample(second) for second in range(4)],
    )


def test_the_table_names_what_was_measured_where_and_with_what():
    shown = table(report(0.05))
    for part in (
        "1 stream of 640x360 at 10 fps, VP8",
        "some GPU (cuda:0)",
        "torch fp16, best-1",
        "downlink_max=6000",
        "aiortc",
        "cores",
        "UTC",
        "loopback as it is",
        "base 12.0",
        "3 frames came without a readable number",
        "used 1.50 cores",
        "busy 25% of the time, 2048 MiB",
    ):
        assert part in shown


def test_a_machine_that_was_busy_is_noted():
    shown = table(replace(report(0.05), busy=busy(3.14, 2)))
    assert "load average 3.1 on 2 cores" in shown
    assert "load average" not in table(report(0.05))


def test_each_stream_is_a_row_and_several_have_a_total():
    rows = [line.split() for line in table(report(0.05, 0.15)).splitlines()]
    first, second, total = (next(row for row in rows if row[:1] == [n]) for n in ("1", "2", "all"))
    assert first[1:] == ["10.0", "10.0", "0.0", *["50.0"] * 3, *["30.0"] * 3, "1000", "2000"]
    assert second[4] == "150.0"
    assert total[1] == "20.0"
    assert not any(row[:1] == ["all"] for row in map(str.split, table(report(0.05)).splitlines()))


def test_further_watchers_are_told_with_what_was_encoded_for_them():
    calm = report(0.05)
    (record,) = calm.records
    watched = replace(record, watched=(40, 36, 38), server={**record.server, "encoded": 44.0})
    stream = stream_figures(watched, DIRECT, Impairment())
    shown = table(replace(calm, streams=[stream], total=total_figures([watched], [stream], DIRECT)))
    assert (
        "3 further watchers got 9.5 frames a second each (median; 9.0 at least); the server "
        "encoded 11.0 a second in all."
    ) in shown
    assert "further watcher" not in table(calm)


def test_a_stream_that_shows_nothing_has_dashes_not_figures():
    row = next(line for line in table(report(0.0)).splitlines() if line.split()[:1] == ["1"])
    assert row.split()[1:10] == ["10.0", "0.0", "100.0", *["-"] * 6]


def test_a_bad_line_is_described_and_its_recoveries_are_told():
    line = Impairment(loss=0.02, delay=0.03, burst=0.25, burst_every=2.0)
    shown = table(report(0.05, impairment=line))
    assert "each way 2 % loss, 30 ms delay, nothing for 250 ms every 2 s (seed 0)" in shown
    assert "After 1 burst composites flowed again within 0.10 s (median), 0.10 s (worst)." in shown
    assert "What the line does to packets is in it." in shown


def test_every_second_of_every_stream_is_a_row(tmp_path: Path):
    write_csv(tmp_path / "rows.csv", report(0.05, 0.15))
    with (tmp_path / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["stream"], row["second"]) for row in rows] == [
        (s, t) for s in "12" for t in "0123"
    ]
    assert rows[0]["latency_p50_ms"] == "50.0"
    assert rows[1]["server_cores"] == "1.5"
    assert rows[1]["gpu_busy"] == "0.25"


def test_the_drawing_is_one_file_with_a_line_for_each_stream():
    line = Impairment(burst=0.25, burst_every=2.0)
    root = ElementTree.fromstring(plot(report(0.05, 0.15, impairment=line)))
    inside = [each for each in root.iter() if "line" in each.get("class", "").split()]
    # Latency twice and composites once, for two streams.
    assert len(inside) == 6
    assert all(each.get("d", "").startswith("M") for each in inside)
    assert any("nothing passed" in (each.text or "") for each in root.iter())


def test_a_drawing_of_nothing_is_still_a_drawing():
    ElementTree.fromstring(plot(report(0.0)))


@pytest.mark.parametrize(
    ("expected", "missed"),
    [
        ([("fps", 9.0), ("added-p95", 30.0)], 0),
        ([("fps", 10.5)], 1),
        ([("added-p95", 29.0)], 1),
        ([("recovery", 110.0)], 0),
        ([("recovery", 40.0)], 1),
        ([("fps", 11.0), ("added-p95", 1.0), ("recovery", 1.0)], 3),
    ],
)
def test_what_is_expected_holds_or_is_told(expected: list[tuple[str, float]], missed: int):
    line = Impairment(burst=0.25, burst_every=2.0)
    assert len(misses(report(0.05, impairment=line), expected)) == missed


def test_recovery_without_a_burst_and_addition_without_a_call_are_not_taken_as_met():
    assert "0 of 0 bursts" in misses(report(0.05), [("recovery", 1000.0)])[0]
    calm = report(0.05)
    alone = replace(calm, streams=[replace(each, added=None) for each in calm.streams])
    assert "--direct" in misses(alone, [("added-p95", 1000.0)])[0]


def test_cores_are_seconds_of_work_by_seconds_of_time():
    servers = [sample(second).server for second in range(4)]
    assert cores(servers) == pytest.approx(1.5)
    assert cores(servers[:1]) is None
    found = usage_figures([sample(second) for second in range(4)])
    assert found is not None
    assert (found.client_cores, found.server_mib, found.threads) == (0.5, 503, 24)
    assert usage_figures([]) is None


def test_this_process_can_be_looked_at_and_one_that_is_gone_cannot():
    found = usage([os.getpid()])
    assert found is not None
    assert found.resident_mib > 10
    assert found.threads >= 1
    assert found.descriptors >= 3
    assert usage([2**22 + 1]) is None

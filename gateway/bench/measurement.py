"""One measurement from beginning to end: direct calls, a server, its guests."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from tqdm import tqdm

from gateway.bench.crew import crew
from gateway.bench.figures import Latency, latencies, stream_figures, total_figures
from gateway.bench.lip_sync import LipSync, lip_sync
from gateway.bench.plan import Plan
from gateway.bench.report import Report
from gateway.bench.server import MEDIA_ALONE, SERVE, server
from gateway.bench.usage import Sampler, gpu_meter
from models.processor import busyness


class Progress:
    """What is going on, on standard error: a bar where somebody watches, else nothing."""

    def __init__(self, seconds: float) -> None:
        layout = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s"
        self._bar = tqdm(total=seconds, file=sys.stderr, disable=None, bar_format=layout)
        self._began, self._seconds = time.monotonic(), seconds

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def begin(self, what: str, seconds: float) -> None:
        """The next phase; `seconds` is what it is expected to take, 0 if nobody knows."""
        self._began, self._seconds = time.monotonic(), max(seconds, 0.001)
        self._bar.reset(total=self._seconds)
        self._bar.set_description(what)

    def tick(self) -> None:
        """Time has passed."""
        self._bar.n = min(time.monotonic() - self._began, self._seconds)
        self._bar.refresh()


def measured(
    plan: Plan,
    count: int,
    arguments: Sequence[str],
    *,
    settings: Sequence[str] = (),
    media_alone: bool = False,
) -> Report:
    """Measure `count` streams; raises `gateway.bench.errors.BenchError`.

    Args:
        plan: of each.
        count: how many at a time.
        arguments: of `cleanplate serve`.
        settings: the same as people gave them, for the report.
        media_alone: an engine without networks.
    """
    # Before anything here adds to it.
    others = busyness()
    direct: Latency | None = None
    direct_sync: LipSync | None = None
    with crew(plan, count) as participants, Progress(plan.seconds) as progress:
        if plan.direct:
            progress.begin("calling directly", 0)
            participants.call(progress.tick)
            progress.begin("calling directly", plan.direct)
            calls = participants.measure(plan.direct, progress.tick)
            direct = Latency.of(each for call in calls for each in latencies(call).values())
            direct_sync = lip_sync(calls)
        progress.begin("starting the server", 0)
        with (
            server(arguments, MEDIA_ALONE if media_alone else SERVE) as running,
            gpu_meter(running.runs["device"]) as gpu,
        ):
            progress.begin("capturing plates", 0)
            participants.visit(running.url, progress.tick)
            progress.begin("measuring", plan.seconds)
            sampler = Sampler(running.pid, participants.pids, gpu)
            records = participants.measure(plan.seconds, _both(progress.tick, sampler.tick))
    streams = [stream_figures(record, direct, plan.impairment) for record in records]
    # What is used while connections close is not what was measured.
    end = max(record.began + record.seconds for record in records)
    return Report(
        plan=plan,
        count=count,
        settings=settings,
        server=running.runs,
        streams=streams,
        total=total_figures(records, streams, direct),
        direct=direct,
        direct_sync=direct_sync,
        busy=others,
        records=records,
        samples=[sample for sample in sampler.samples if sample.server.at <= end],
    )


def _both(first: Callable[[], object], second: Callable[[], object]) -> Callable[[], None]:
    def tick() -> None:
        first()
        second()

    return tick

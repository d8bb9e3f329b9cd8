"""A measurement as a table, as JSON, and second by second as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gateway.bench.figures import Latency, StreamFigures, by_second
from gateway.bench.lip_sync import LipSync
from gateway.bench.machine import machine, now, versions
from gateway.bench.plan import Plan
from gateway.bench.record import Record
from gateway.bench.usage import Sample, UsageFigures, usage_figures

HEADINGS: Final = (
    ("stream", ""),
    ("sent", "fps"),
    ("composited", "fps"),
    ("dropped", "%"),
    ("latency", "p50"),
    ("ms", "p95"),
    ("", "p99"),
    ("added", "p50"),
    ("ms", "p95"),
    ("", "p99"),
    ("up", "kbit/s"),
    ("down", "kbit/s"),
)
SETTING: Final = "  {:<10} {}"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run of `cleanplate bench stream` found."""

    plan: Plan
    count: int
    settings: Sequence[str]
    """Of the server, as given."""
    server: Mapping[str, str]
    """What the server said of itself."""
    streams: Sequence[StreamFigures]
    total: StreamFigures
    direct: Latency | None
    """Milliseconds of a call without a gateway."""
    records: Sequence[Record]
    samples: Sequence[Sample]
    direct_sync: LipSync | None = None
    """Of a call without a gateway."""
    busy: str | None = None
    """What to know of a machine that others used too."""

    @property
    def usage(self) -> UsageFigures | None:
        """Over the measurement."""
        return usage_figures(self.samples)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        plan = asdict(self.plan)
        return {
            "machine": machine(),
            "busy": self.busy,
            "date": now(),
            "versions": versions(),
            "server": dict(self.server),
            "settings": {
                **plan,
                "clip": self.plan.clip and str(self.plan.clip),
                "plate": self.plan.plate and str(self.plan.plate),
                "streams": self.count,
                "server": list(self.settings),
            },
            "direct_ms": self.direct and asdict(self.direct),
            "direct_lip_sync_ms": self.direct_sync and asdict(self.direct_sync),
            "streams": [each.as_json() for each in self.streams],
            "total": self.total.as_json(),
            "usage": self.usage and asdict(self.usage),
        }


def table(report: Report) -> str:
    """For a terminal."""
    plan, usage = report.plan, report.usage
    returns = "through WHEP" if plan.watch else "on the same connection"
    codecs = "/".join(sorted({record.codec for record in report.records}))
    settings = (
        f"{_counted(report.count, 'stream')} of {plan.size} at {plan.fps:g} fps, {codecs}, "
        f"{plan.seconds:g} s after {plan.warm_up:g} s, back {returns}"
    )
    lines = [
        f"cleanplate bench stream, {now()}",
        SETTING.format("machine", machine()),
        SETTING.format("versions", ", ".join(f"{n} {v}" for n, v in versions().items())),
        SETTING.format("device", report.server.get("device", "unknown")),
        SETTING.format(
            "engine", f"{report.server.get('backend', '')}, {report.server.get('weights', '')}"
        ),
        SETTING.format("measured", settings),
        SETTING.format("line", _line(report)),
        *([SETTING.format("note", report.busy)] if report.busy else []),
        *([SETTING.format("settings", ", ".join(report.settings))] if report.settings else []),
        "",
        *_aligned([*zip(*HEADINGS, strict=True)], _rows(report)),
        "",
    ]
    if report.direct is not None:
        direct, line = report.direct, report.plan.impairment
        beyond = " What the line does to packets is in it." if line.any else ""
        lines.append(
            f"A call without a gateway takes {direct.p50} ms (p95 {direct.p95}, p99 {direct.p99}); "
            f"added is latency less that median.{beyond}"
        )
    unread, skipped = report.total.unread, report.total.skipped
    lines.append(
        f"{_counted(unread, 'frame')} came without a readable number; the cameras' encoders had no "
        f"time for {_counted(skipped, 'frame')}."
    )
    lines += [*_lip_sync(report), *_watched(report), *_inside(report)]
    if usage is not None:
        lines += _used(usage)
    if report.total.recoveries:
        lines.append(_recovery(report.total.recoveries))
    return "\n".join(lines)


def write_csv(path: Path, report: Report) -> None:
    """One row a stream and second; what the server used is repeated for every stream."""
    rows: list[dict[str, Any]] = []
    for number, record in enumerate(report.records):
        for row in by_second(record):
            at = record.began + float(row["second"] or 0)
            rows.append({"stream": number + 1, **row, **_use_at(report.samples, at)})
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def _rows(report: Report) -> list[list[str]]:
    rows = [_row(str(number + 1), each) for number, each in enumerate(report.streams)]
    return rows if len(rows) == 1 else [*rows, _row("all", report.total)]


def _row(name: str, each: StreamFigures) -> list[str]:
    percent = 100 * each.dropped / each.sent if each.sent else 0.0
    figures = [f"{each.sent_fps:.1f}", f"{each.composited_fps:.1f}", f"{percent:.1f}"]
    for latency in (each.latency, each.added):
        values = (latency.p50, latency.p95, latency.p99) if latency else None
        figures += [f"{value:.1f}" for value in values] if values else ["-"] * 3
    return [name, *figures, f"{each.up_kbit:.0f}", f"{each.down_kbit:.0f}"]


def _aligned(headings: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> list[str]:
    every = [*headings, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(every[0]))]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in every
    ]


def _line(report: Report) -> str:
    line = report.plan.impairment
    if not line.any:
        return "loopback as it is"
    words = [
        f"{100 * line.loss:g} % loss" if line.loss else "",
        f"{1000 * line.delay:g} ms delay" if line.delay else "",
        f"{1000 * line.jitter:g} ms jitter" if line.jitter else "",
        f"{100 * line.reorder:g} % reordered" if line.reorder else "",
        f"nothing for {1000 * line.burst:g} ms every {line.burst_every:g} s" if line.burst else "",
    ]
    return f"each way {', '.join(filter(None, words))} (seed {report.plan.seed})"


def _watched(report: Report) -> list[str]:
    """What those got who were there only to be sent something."""
    rates = sorted(report.total.watched_fps)
    if not rates:
        return []
    encoded = sum(each.server.get("encoded", 0.0) for each in report.streams) / report.plan.seconds
    return [
        f"{_counted(len(rates), 'further watcher')} got {rates[len(rates) // 2]:.1f} frames a "
        f"second each (median; {rates[0]:.1f} at least); the server encoded {encoded:.1f} a second "
        "in all."
    ]


def _inside(report: Report) -> list[str]:
    """Where the server says that a frame's time goes, averaged over the streams."""
    found = [each.server for each in report.streams if each.server]
    if not found:
        return []
    names = [name for name in found[0] if name.endswith("_ms") and name != "latency_ms"]
    stages = [f"{name[:-3]} {_mean(found, name):.1f}" for name in names]
    return [
        f"In the server, from decoded source to composite: {_mean(found, 'latency_ms'):.1f} ms "
        f"({', '.join(stages)})."
    ]


def _lip_sync(report: Report) -> list[str]:
    found, direct = report.total.lip_sync, report.direct_sync
    if found is None:
        return ["No beep was heard."] if report.plan.sound else []
    lines = [
        f"Sound came {found.p50:+.1f} ms after its picture (median of {found.beeps} beeps), 95 % "
        f"within {found.p95:.1f} ms of it; without a gateway "
        + (f"{direct.p50:+.1f} and {direct.p95:.1f} ms." if direct else "unknown.")
    ]
    if found.reported is not None:
        lines.append(
            f"Players that go by sender reports, as browsers do, are left {found.reported:+.1f} ms."
        )
    return lines


def _mean(found: Sequence[Mapping[str, float]], name: str) -> float:
    values = [each[name] for each in found if name in each]
    return sum(values) / len(values) if values else 0.0


def _used(usage: UsageFigures) -> list[str]:
    busy = "unknown" if usage.server_cores is None else f"{usage.server_cores:.2f}"
    clients = "unknown" if usage.client_cores is None else f"{usage.client_cores:.2f}"
    lines = [
        f"The server used {busy} cores, {usage.server_mib:.0f} MiB, {usage.threads} threads and "
        f"{usage.descriptors} descriptors at most; the cameras and viewers {clients} cores."
    ]
    if usage.gpu_busy is not None:
        lines.append(f"The GPU was busy {usage.gpu_busy:.0%} of the time, {usage.gpu_mib:.0f} MiB.")
    return lines


def _recovery(recoveries: Sequence[float | None]) -> str:
    known = [each for each in recoveries if each is not None]
    never = len(recoveries) - len(known)
    text = f"After {_counted(len(recoveries), 'burst')}"
    if known:
        middle = sorted(known)[len(known) // 2]
        text += (
            f" composites flowed again within {middle:.2f} s (median), {max(known):.2f} s (worst)"
        )
    if never:
        text += f"{', but' if known else ' composites flowed'} not at all {_counted(never, 'time')}"
    return text + "."


def _use_at(samples: Sequence[Sample], at: float) -> dict[str, float | None]:
    """What was used in the second that began at `at`."""
    after = [sample for sample in samples if sample.server.at >= at]
    if not after:
        after = list(samples[-1:])
    before = [sample for sample in samples if sample.server.at < at]
    sample = after[0] if after else None
    figures = usage_figures([*before[-1:], *after[:1]])
    return {
        "server_cores": figures.server_cores if figures else None,
        "server_mib": round(sample.server.resident_mib) if sample else None,
        "server_threads": sample.server.threads if sample else None,
        "server_descriptors": sample.server.descriptors if sample else None,
        "gpu_busy": sample.gpu.busy if sample and sample.gpu else None,
        "gpu_mib": sample.gpu.memory_mib if sample and sample.gpu else None,
    }


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

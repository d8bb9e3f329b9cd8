"""From what participants recorded to the figures of a report. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from gateway.bench.impairment import Impairment
from gateway.bench.lip_sync import LipSync, lip_sync
from gateway.bench.record import Record

FLOWING: Final = 0.5
"""Seconds after a burst over which composites are counted to say that they flow again."""
ENOUGH: Final = 0.5
"""Share of the usual rate that counts as flowing."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds over the frames of a measurement."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, milliseconds: Iterable[float]) -> Latency | None:
        """`None` of nothing."""
        values = np.fromiter(milliseconds, float)
        if not values.size:
            return None
        p50, p95, p99 = np.percentile(values, (50, 95, 99))
        return cls(round(float(p50), 1), round(float(p95), 1), round(float(p99), 1))

    def beyond(self, milliseconds: float) -> Latency:
        """The same percentiles less a constant."""
        return Latency(*(round(each - milliseconds, 1) for each in (self.p50, self.p95, self.p99)))


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """One stream, or all of them together."""

    sent_fps: float
    """Frames a second that the camera's encoder took."""
    composited_fps: float
    """Numbered composites a second that were decoded."""
    sent: int
    dropped: int
    """Frames sent whose composite never came, or came without a readable number."""
    skipped: int
    """Frames that the camera's own encoder had no time for; they are not in `sent`."""
    unread: int
    """Frames that arrived without a readable number."""
    latency: Latency | None
    """From handing a frame to the camera's encoder to its decoded composite."""
    added: Latency | None
    """`latency` less the median of a direct call; `None` where none was made."""
    up_kbit: float
    down_kbit: float
    """kbit/s of UDP payload, with everything that is not video."""
    recoveries: tuple[float | None, ...] = ()
    """Seconds from the end of each burst until composites flow; `None`: they did not."""
    watched_fps: tuple[float, ...] = ()
    """Encoded frames a second that each further watcher received."""
    lip_sync: LipSync | None = None
    """`None` without sound."""
    server: Mapping[str, float] = field(default_factory=dict)
    """The server's own sums and averages for this stream."""

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "sent_fps": self.sent_fps,
            "composited_fps": self.composited_fps,
            "sent": self.sent,
            "dropped": self.dropped,
            "skipped": self.skipped,
            "unread": self.unread,
            "latency_ms": _percentiles(self.latency),
            "added_ms": _percentiles(self.added),
            "up_kbit": self.up_kbit,
            "down_kbit": self.down_kbit,
            "recovery_s": list(self.recoveries),
            "watched_fps": list(self.watched_fps),
            "lip_sync_ms": self.lip_sync and asdict(self.lip_sync),
            "server": dict(self.server),
        }


def latencies(record: Record) -> dict[int, float]:
    """Milliseconds by the number of each frame sent within the measurement that came back."""
    handed = within(record)
    return {number: 1000 * (at - handed[number]) for number, at in record.seen if number in handed}


def within(record: Record) -> dict[int, float]:
    """When each frame of the measurement was handed over, by number."""
    end = record.began + record.seconds
    return {number: at for number, at in record.handed if at < end}


def stream_figures(record: Record, direct: Latency | None, impairment: Impairment) -> StreamFigures:
    """The figures of one stream; `direct` is that of a call without a gateway."""
    found = latencies(record)
    sent = len(within(record))
    arrived = sum(at < record.began + record.seconds for _, at in record.seen)
    latency = Latency.of(found.values())
    up, down = traffic(record)
    return StreamFigures(
        sent_fps=round(sent / record.seconds, 1),
        composited_fps=round(arrived / record.seconds, 1),
        sent=sent,
        dropped=sent - len(found),
        skipped=record.skipped,
        unread=record.unread,
        latency=latency,
        added=latency.beyond(direct.p50) if latency and direct else None,
        up_kbit=up,
        down_kbit=down,
        recoveries=recoveries(record, impairment),
        watched_fps=tuple(round(frames / record.seconds, 1) for frames in record.watched),
        lip_sync=lip_sync([record]),
        server=record.server,
    )


def total_figures(
    records: Sequence[Record], streams: Sequence[StreamFigures], direct: Latency | None
) -> StreamFigures:
    """All streams as one: sums, and percentiles over every frame."""
    latency = Latency.of(
        milliseconds for record in records for milliseconds in latencies(record).values()
    )
    return StreamFigures(
        sent_fps=round(sum(each.sent_fps for each in streams), 1),
        composited_fps=round(sum(each.composited_fps for each in streams), 1),
        sent=sum(each.sent for each in streams),
        dropped=sum(each.dropped for each in streams),
        skipped=sum(each.skipped for each in streams),
        unread=sum(each.unread for each in streams),
        latency=latency,
        added=latency.beyond(direct.p50) if latency and direct else None,
        up_kbit=round(sum(each.up_kbit for each in streams), 0),
        down_kbit=round(sum(each.down_kbit for each in streams), 0),
        recoveries=tuple(each for stream in streams for each in stream.recoveries),
        watched_fps=tuple(each for stream in streams for each in stream.watched_fps),
        lip_sync=lip_sync(records),
    )


def traffic(record: Record) -> tuple[float, float]:
    """kbit/s up and down over the measurement."""
    (began, up0, down0), (ended, up1, down1) = record.traffic[0], record.traffic[-1]
    seconds = ended - began
    if seconds <= 0:
        return 0.0, 0.0
    return round((up1 - up0) / seconds / 125, 0), round((down1 - down0) / seconds / 125, 0)


def recoveries(record: Record, impairment: Impairment) -> tuple[float | None, ...]:
    """Seconds from the end of each burst until composites flow again, `None` if they do not.

    They flow from the first composite of a frame that was handed over after the burst and is
    followed, within `FLOWING`, by at least `ENOUGH` of what came in such a time before the first
    burst. Bursts too close to the end to tell are left out.
    """
    bursts = impairment.bursts(record.seconds - FLOWING)
    if not bursts:
        return ()
    handed = dict(record.handed)
    seen = [(at - record.began, handed[n] - record.began) for n, at in record.seen if n in handed]
    calm = bursts[0][0]
    enough = max(1.0, ENOUGH * FLOWING * sum(at < calm for at, _ in seen) / calm)
    found: list[float | None] = []
    for number, (_, end) in enumerate(bursts):
        until = bursts[number + 1][0] if number + 1 < len(bursts) else record.seconds
        fresh = [at for at, sent in seen if sent >= end and at < until]
        flowing = (
            at - end for at in fresh if sum(at <= other < at + FLOWING for other in fresh) >= enough
        )
        first = next(flowing, None)
        found.append(None if first is None else round(first, 3))
    return tuple(found)


def by_second(record: Record) -> list[dict[str, float | None]]:
    """One row a second of what was sent in it and what came."""
    found, handed = latencies(record), within(record)
    rows: list[dict[str, float | None]] = []
    for second in range(round(record.seconds)):
        begin = record.began + second
        of_second = [n for n, at in handed.items() if begin <= at < begin + 1]
        latency = Latency.of(found[n] for n in of_second if n in found)
        row: dict[str, float | None] = {
            "second": second,
            "sent": len(of_second),
            "composites": sum(begin <= at < begin + 1 for _, at in record.seen),
            "latency_p50_ms": latency.p50 if latency else None,
            "latency_p95_ms": latency.p95 if latency else None,
            "latency_p99_ms": latency.p99 if latency else None,
            "up_kbit": None,
            "down_kbit": None,
        }
        if second + 1 < len(record.traffic):
            (t0, up0, down0), (t1, up1, down1) = record.traffic[second : second + 2]
            row["up_kbit"] = round((up1 - up0) / (t1 - t0) / 125, 0)
            row["down_kbit"] = round((down1 - down0) / (t1 - t0) / 125, 0)
        rows.append(row)
    return rows


def _percentiles(latency: Latency | None) -> dict[str, float] | None:
    return {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99} if latency else None

"""Counting a stream: frames in, out and lost, milliseconds per stage, latency. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final, Self

WINDOW: Final = 2.0
"""Seconds over which frame rates are averaged."""

SMOOTHING: Final = 0.1
"""Weight of the newest frame in the averages of milliseconds: about ten frames of memory."""


class FrameRate:
    """Frames per second over the last `WINDOW` seconds."""

    def __init__(self) -> None:
        self._marks: deque[float] = deque(maxlen=512)

    def mark(self, now: float) -> None:
        """Count one frame at `now` (seconds of any monotonic clock)."""
        self._marks.append(now)

    def per_second(self, now: float) -> float:
        """Zero when nothing came for a whole window."""
        while self._marks and self._marks[0] < now - WINDOW:
            self._marks.popleft()
        if len(self._marks) < 2:
            return 0.0
        # Intervals, not frames: exact from the first second on, and falling when frames stop.
        span = max(self._marks[-1] - self._marks[0], now - self._marks[0] - 1.0, 1e-6)
        return (len(self._marks) - 1) / span


def smooth(previous: float | None, value: float) -> float:
    """Exponential average."""
    return value if previous is None else previous + SMOOTHING * (value - previous)


@dataclass(slots=True)
class Sums:
    """Counters that only grow."""

    def add(self, other: Self) -> None:
        """Take over somebody else's."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(slots=True)
class Arrivals(Sums):
    """What became of the video's packets and encoded frames on their way here; all are sums."""

    repaired: int = 0
    """Packets that came because they were asked for again."""
    late: int = 0
    """Packets that came twice, or after their frame was given up."""
    broken: int = 0
    """Times that a frame was given up because packets were missing."""
    undecoded: int = 0
    """Encoded frames dropped: the decoder was behind, or they refer to a frame that is lost."""
    unread: int = 0
    """Decoded frames dropped because a newer one came first."""


@dataclass(slots=True)
class Departures(Sums):
    """What became of composites on their way out; all are sums."""

    encoded: int = 0
    """Frames that encoders made, each for everybody who sits on its rendition."""
    keys: int = 0
    """Key frames among them."""
    behind: int = 0
    """Encoded frames dropped for somebody whose sender fell behind."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stream's numbers at one moment; sums since the stream began."""

    fps_in: float
    fps_out: float
    frames_in: int
    frames_out: int
    dropped: int
    """Source frames that were never matted because a newer one came."""
    late: int
    """Composites that came back after watchers had been shown something newer."""
    refused: int
    """Source frames of a size beyond the limits."""
    failures: int
    """Frames on which the engine raised an error."""
    width: int
    height: int
    ms: Mapping[str, float]
    """Milliseconds per engine stage, averaged over about ten frames."""
    latency_ms: float
    """From a decoded source frame to its finished composite, averaged likewise."""


@dataclass(slots=True)
class StreamStats:
    """The running numbers of one stream; all times in seconds of one monotonic clock."""

    frames_in: int = 0
    frames_out: int = 0
    dropped: int = 0
    late: int = 0
    refused: int = 0
    failures: int = 0
    width: int = 0
    height: int = 0
    latency: float | None = None
    last_in: float | None = None
    arrivals: Arrivals = field(default_factory=Arrivals)
    departures: Departures = field(default_factory=Departures)
    _ms: dict[str, float] = field(default_factory=dict)
    _in: FrameRate = field(default_factory=FrameRate)
    _out: FrameRate = field(default_factory=FrameRate)

    def frame_in(self, now: float, width: int, height: int) -> None:
        """A source frame was decoded."""
        self.frames_in += 1
        self.last_in = now
        self.width, self.height = width, height
        self._in.mark(now)

    def frame_out(self, now: float, arrived: float, milliseconds: Mapping[str, float]) -> None:
        """The composite of the source frame that arrived at `arrived` is finished."""
        self.frames_out += 1
        self.latency = smooth(self.latency, now - arrived)
        for stage, value in milliseconds.items():
            self._ms[stage] = smooth(self._ms.get(stage), value)
        self._out.mark(now)

    def fps_in(self, now: float) -> float:
        """The camera's frame rate as it arrives here."""
        return self._in.per_second(now)

    def snapshot(self, now: float) -> Snapshot:
        """The numbers at `now`."""
        return Snapshot(
            fps_in=round(self._in.per_second(now), 1),
            fps_out=round(self._out.per_second(now), 1),
            frames_in=self.frames_in,
            frames_out=self.frames_out,
            dropped=self.dropped,
            late=self.late,
            refused=self.refused,
            failures=self.failures,
            width=self.width,
            height=self.height,
            ms={stage: round(value, 2) for stage, value in self._ms.items()},
            latency_ms=round(1000 * (self.latency or 0.0), 1),
        )


@dataclass(slots=True)
class Totals:
    """Sums over all streams this process ever had, for `/metrics`."""

    frames_in: int = 0
    frames_out: int = 0
    dropped: int = 0
    failures: int = 0
    sessions: int = 0
    arrivals: Arrivals = field(default_factory=Arrivals)
    departures: Departures = field(default_factory=Departures)

    def add(self, stats: StreamStats) -> None:
        """Take over the sums of a stream that is being dropped."""
        self.frames_in += stats.frames_in
        self.frames_out += stats.frames_out
        self.dropped += stats.dropped
        self.failures += stats.failures
        self.arrivals.add(stats.arrivals)
        self.departures.add(stats.departures)


def exposition(totals: Totals, live: Iterable[StreamStats], gauges: Mapping[str, int]) -> str:
    """Everything as Prometheus text (exposition format 0.0.4); no stream is named in it."""
    now = Totals(
        totals.frames_in, totals.frames_out, totals.dropped, totals.failures, totals.sessions
    )
    now.arrivals.add(totals.arrivals)
    now.departures.add(totals.departures)
    for stats in live:
        now.add(stats)
    counters = {
        "sessions": (now.sessions, "WebRTC sessions opened"),
        "frames_in": (now.frames_in, "source frames decoded"),
        "frames_out": (now.frames_out, "composites finished"),
        "frames_dropped": (now.dropped, "source frames lost because a newer one came"),
        "engine_failures": (now.failures, "frames on which the engine raised an error"),
        "packets_repaired": (now.arrivals.repaired, "packets that came when asked for again"),
        "packets_late": (now.arrivals.late, "packets that came twice or too late"),
        "frames_broken": (now.arrivals.broken, "times that a frame was given up for lost packets"),
        "frames_undecoded": (now.arrivals.undecoded, "encoded frames dropped before the decoder"),
        "frames_unread": (now.arrivals.unread, "decoded frames dropped because a newer one came"),
        "frames_encoded": (
            now.departures.encoded,
            "composites encoded, once for all with equal needs",
        ),
        "key_frames": (now.departures.keys, "key frames among the encoded composites"),
        "frames_behind": (
            now.departures.behind,
            "encoded frames dropped for senders that fell behind",
        ),
    }
    lines = []
    for name, (value, meaning) in counters.items():
        metric = f"cleanplate_{name}_total"
        lines += [f"# HELP {metric} {meaning}", f"# TYPE {metric} counter", f"{metric} {value}"]
    for name, value in gauges.items():
        metric = f"cleanplate_{name}"
        lines += [f"# TYPE {metric} gauge", f"{metric} {value}"]
    return "\n".join(lines) + "\n"

"""A finished measurement for a terminal, for a page and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from models.benchmark.floor import Ceilings, Floor, Work
from models.benchmark.governed import Governed
from models.benchmark.programs import Alone, Batched
from models.benchmark.race import Result
from models.benchmark.traffic import Traffic
from models.graphs.runner import Memory


@dataclass(frozen=True, slots=True)
class Streams:
    """Several streams through the engine at once."""

    streams: int
    fps: float
    """Of all of them together."""


@dataclass(frozen=True, slots=True)
class Table:
    """Everything that one `cleanplate bench matting` found."""

    command: str
    machine: str
    date: str
    versions: Mapping[str, str]
    size: str
    """`1280x720`."""
    weights: str
    about: str
    """How the engine looks at a frame of this size."""
    reference: Result
    engine: Result
    work: Work
    ceilings: Ceilings
    floor: Floor
    streams: Sequence[Streams] = ()
    governed: Governed | None = None
    alone: Alone | None = None
    batched: Sequence[Batched] = ()
    written: Traffic | None = None
    """What the programs move as they are written."""
    memory: Memory | None = None
    stream_bytes: int | None = None
    notes: Sequence[str] = field(default=())
    """What was left out, and why."""

    @property
    def ratio(self) -> float:
        """How many times faster the engine is, by medians."""
        return self.reference.p50 / self.engine.p50

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        found = asdict(self)
        found["ratio"] = self.ratio
        for name in ("reference", "engine"):
            found[name]["fps"] = getattr(self, name).fps
        return found

    def as_markdown(self) -> str:
        """Tables with a paragraph that names machine, versions, date and command."""
        return "\n\n".join(["\n".join(part) for part in self._parts() if part]) + "\n"

    def _parts(self) -> list[list[str]]:
        return [
            [f"### {self.size}, {self.weights}: {self.ratio:.1f} times the reference path"],
            [
                f"{self.machine}. {self.date}. "
                + ", ".join(f"{name} {version}" for name, version in self.versions.items())
                + f". `{self.command}`"
            ],
            self._race(),
            self._stages(),
            self._floor(),
            self._governed(),
            self._streams(),
            self._programs(),
            self._memory(),
            [f"- {note}" for note in self.notes],
        ]

    def _race(self) -> list[str]:
        rows = [
            [
                each.name,
                *(f"{value:.2f}" for value in (each.p50, each.p95, each.p99)),
                f"{each.fps:.1f}",
                str(each.frames),
                each.about,
            ]
            for each in (self.reference, self.engine)
        ]
        rows[1][-1] += f"; {self.about}"
        return _table(["I420 to I420", "p50 ms", "p95", "p99", "fps", "frames", "how"], rows)

    def _stages(self) -> list[str]:
        rows = []
        for each in (self.reference, self.engine):
            for stage, value in each.stages.items():
                rows.append([each.name, stage, f"{value:.2f}", f"{100 * value / each.p50:.0f} %"])
        return _table(["where it goes", "stage", "ms", "share"], rows)

    def _floor(self) -> list[str]:
        work, ceilings, floor = self.work, self.ceilings, self.floor
        copy = f"{ceilings.bytes / 1e9:.4g} GB/s, copy"
        product = f"{ceilings.multiplications / 1e12:.3g} TMAC/s, {ceilings.precision} product"
        rows = [
            ("arithmetic", f"{work.multiplications / 1e9:.2f} GMAC", product, floor.arithmetic),
            ("bytes, all fused", f"{work.least_bytes / 1e6:.1f} MB", copy, floor.least_bytes),
            ("bytes, by layers", f"{work.layer_bytes / 1e6:.1f} MB", copy, floor.layer_bytes),
        ]
        if self.written is not None:
            moved = self.written.bytes
            amount = f"{moved / 1e6:.0f} MB in {self.written.operations} operations"
            rows.append(("bytes, as written", amount, copy, 1000 * moved / ceilings.bytes))
        return _table(
            ["floor", "a frame's work", "measured ceiling", "ms", "of the engine's time"],
            [
                [name, amount, ceiling, f"{ms:.3f}", f"{100 * ms / self.engine.p50:.0f} %"]
                for name, amount, ceiling, ms in rows
            ],
        )

    def _governed(self) -> list[str]:
        if self.governed is None:
            return []
        held = self.governed
        quality = held.quality
        how = (
            f"level {quality.level} of 0 to {quality.levels - 1}: composite {held.size}, "
            f"base scale {quality.base_scale:g}, {quality.refine_pixels} pixels refined"
        )
        row = [f"{held.rate:g}", f"{held.fps:.1f}", f"{held.p50:.2f}", f"{held.p95:.2f}", how]
        return _table(["rate promised", "fps", "p50 ms", "p95", "how"], [row])

    def _streams(self) -> list[str]:
        rows = [
            [str(each.streams), f"{each.fps:.1f}", f"{each.fps / each.streams:.1f}"]
            for each in self.streams
        ]
        return _table(["streams at once", "fps together", "fps each"], rows) if rows else []

    def _programs(self) -> list[str]:
        if self.alone is None:
            return []
        alone = self.alone
        stages = ", ".join(f"{name} {value:.3f}" for name, value in alone.stages.items())
        rows = [["1, one at a time", f"{1000 / alone.p50:.0f}", f"p50 {alone.p50:.3f}, "
                 f"p99 {alone.p99:.3f}; on the device {stages}"]]  # fmt: skip
        rows += [
            [f"{each.count}, two on their way", f"{each.fps:.0f}", f"program {each.base:.3f}"]
            for each in self.batched
        ]
        return _table(["frames together, without the engine", "fps", "ms"], rows)

    def _memory(self) -> list[str]:
        if self.memory is None or self.stream_bytes is None:
            return []
        memory = self.memory
        return [
            f"On the device: a stream {self.stream_bytes / 1e6:.0f} MB, the network "
            f"{memory.network / 1e6:.0f} MB, programs {memory.programs / 1e6:.0f} MB, everything "
            f"{memory.reserved / 1e6:.0f} MB."
        ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    return [line(head), f"|{'|'.join('-' * (width + 2) for width in widths)}|", *map(line, rows)]

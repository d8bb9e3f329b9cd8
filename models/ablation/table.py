"""The table of an ablation: for a terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from models.errors import MattingError
from models.evaluation.results import figure
from models.evaluation.scores import METRICS, Metric

COLUMNS: Final[tuple[Metric, ...]] = (
    "alpha_mad",
    "alpha_mse",
    "grad_thousands",
    "conn_thousands",
    "dtssd",
    "sad_thousands",
    "trimap_mse",
    "foreground_mse",
)
"""Of every table: first whole frames, then the trimap's band; less is better."""


Facts: TypeAlias = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Row:
    """One variant."""

    name: str
    facts: Facts
    """What tells it from the others, and what it costs; the same keys in all rows."""
    scores: Mapping[Metric, float]


@dataclass(frozen=True, slots=True)
class Table:
    """All variants of one ablation, scored on the same scenes."""

    ablation: str
    about: str
    """What was done, for a reader who sees nothing else."""
    command: str
    machine: str
    date: str
    versions: Mapping[str, str]
    rows: Sequence[Row]

    def as_json(self) -> dict[str, Any]:
        """Everything, with all digits."""
        return {
            "ablation": self.ablation,
            "about": self.about,
            "command": self.command,
            "machine": self.machine,
            "date": self.date,
            "versions": dict(self.versions),
            "rows": [self._cells(row) for row in self.rows],
        }

    def as_csv(self) -> str:
        """A line of names, then one line a variant, with all digits."""
        out = io.StringIO()
        names = ["name", *self._facts, *self._scored]
        writer = csv.DictWriter(out, names, lineterminator="\n", restval="")
        writer.writeheader()
        for row in self.rows:
            writer.writerow(self._cells(row))
        return out.getvalue()

    def write_csv(self, file: Path) -> None:
        """Into a file; raises `MattingError` where it cannot go."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.as_csv(), encoding="utf-8")
        except OSError as error:
            raise MattingError(
                f"the table cannot go to {file} ({error.strerror}): give another --csv"
            ) from error

    def as_text(self) -> str:
        """For a terminal, the least error of each column with a star."""
        scored = self._scored
        best = {
            metric: min(row.scores[metric] for row in self.rows if metric in row.scores)
            for metric in scored
        }
        lines = [["", *self._facts, *(_heading(metric) for metric in scored)]]
        for row in self.rows:
            cells = [
                "-"
                if metric not in row.scores
                else figure(row.scores[metric])
                + ("*" if row.scores[metric] == best[metric] else "")
                for metric in scored
            ]
            lines.append([row.name, *(_fact(fact) for fact in row.facts.values()), *cells])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        shown = [
            "  ".join(
                cell.ljust(width) if at == 0 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        legend = (
            "MAD, MSE, Grad and Conn over whole frames; SAD, band MSE and FG MSE in the trimap's "
            "band; Grad, Conn and SAD in thousands. Less is better, * is the least."
        )
        return "\n".join([f"{self.ablation}: {self.about}", *shown, legend]) + "\n"

    def _cells(self, row: Row) -> dict[str, str | int | float]:
        scores = {
            str(metric): row.scores[metric] for metric in self._scored if metric in row.scores
        }
        return {"name": row.name, **row.facts, **scores}

    @property
    def _facts(self) -> list[str]:
        return list(self.rows[0].facts)

    @property
    def _scored(self) -> list[Metric]:
        return [metric for metric in COLUMNS if any(metric in row.scores for row in self.rows)]


def _fact(value: str | int | float) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _heading(metric: Metric) -> str:
    return "band MSE" if metric == "trimap_mse" else METRICS[metric][0]

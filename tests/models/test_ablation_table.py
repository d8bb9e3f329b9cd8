"""An ablation ends in one table, as text, JSON or CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from models.ablation.table import Row, Table
from models.errors import MattingError


def table_of(*rows: Row) -> Table:
    return Table("kernel", "2 scenes", "cleanplate ablate", "here", "today", {}, rows)


def test_a_table_marks_the_least_error_of_each_column() -> None:
    table = table_of(
        Row("kernel-1", {"ms": 3.0}, {"alpha_mad": 0.02, "alpha_mse": 0.001}),
        Row("kernel-3", {"ms": 4.0}, {"alpha_mad": 0.01, "alpha_mse": 0.002}),
    )
    _, head, first, second, _ = table.as_text().splitlines()
    assert head.split() == ["ms", "MAD", "MSE"]
    assert first.split() == ["kernel-1", "3.0", "0.02000", "0.00100*"]
    assert second.split() == ["kernel-3", "4.0", "0.01000*", "0.00200"]


def test_a_score_that_a_variant_lacks_stays_empty() -> None:
    table = table_of(
        Row("a", {"ms": 3.0}, {"alpha_mad": 0.02}),
        Row("b", {"ms": 4.0}, {"alpha_mad": 0.01, "foreground_mse": 0.5}),
    )
    assert table.as_text().splitlines()[2].split()[-1] == "-"
    [first, second] = csv.DictReader(io.StringIO(table.as_csv()))
    assert (first["foreground_mse"], second["foreground_mse"]) == ("", "0.5")
    assert "foreground_mse" not in table.as_json()["rows"][0]


def test_a_table_that_cannot_be_written_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    table = table_of(Row("a", {"ms": 3.0}, {"alpha_mad": 0.02}))
    with pytest.raises(MattingError, match="give another --csv"):
        table.write_csv(tmp_path / "file" / "table.csv")

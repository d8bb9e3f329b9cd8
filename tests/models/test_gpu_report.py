"""What needs a GPU runs part by part, and a part that fails stops no other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from models.benchmark import gpu
from models.benchmark.gpu import Part, main, parts, run_part
from models.benchmark.profile import as_markdown, profile
from models.benchmark.traffic import traffic
from models.device import choose_device
from models.graphs.frame import FrameKey
from models.operating_point import OperatingPoint
from tests.models.random_network import make_network

KEY = FrameKey(64, 96, OperatingPoint(0.5, 800))


def part(name: str, program: str) -> Part:
    return Part(name, [sys.executable, "-c", program])


def test_a_part_that_succeeds_is_quoted(tmp_path: Path):
    assert run_part(part("fine", "print('all is well')"), tmp_path, 60) == ("ok", "all is well\n")
    assert (tmp_path / "fine.log").read_text() == "all is well\n"


def test_tables_of_a_part_go_into_the_report(tmp_path: Path):
    program = "import sys; open(sys.argv[1], 'w').write('| a table |'); print('{}')"
    table = Part("bench-1", [sys.executable, "-c", program, "{log}.md"], shown=False)
    assert run_part(table, tmp_path, 60) == ("ok", "| a table |")


def test_a_part_that_fails_says_why(tmp_path: Path):
    outcome, section = run_part(part("broken", "raise OSError('no driver')"), tmp_path, 60)
    assert outcome == "failed (1)"
    assert "no driver" in section


def test_a_part_that_hangs_is_ended(tmp_path: Path):
    hang = "import sys, threading; print('begun', flush=True); threading.Event().wait()"
    outcome, section = run_part(part("slow", hang), tmp_path, 1)
    assert outcome == "out of time"
    assert section.startswith("```")


def test_the_report_names_every_part_whatever_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    both = [part("broken", "raise OSError('no driver')"), part("fine", "print('all is well')")]
    monkeypatch.setattr(gpu, "parts", lambda device, seconds: both)
    assert main(["--out", str(tmp_path / "new")]) == 1
    report = (tmp_path / "new" / "report.md").read_text()
    assert "## broken: failed (1)" in report
    assert "## fine: ok" in report
    assert "all is well" in capsys.readouterr().out
    assert main(["--out", str(tmp_path), "--only", "fine"]) == 0


def test_what_there_is_no_time_for_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gpu, "parts", lambda device, seconds: [part("late", "print('never')")])
    assert main(["--out", str(tmp_path), "--minutes", "0"]) == 1
    report = (tmp_path / "report.md").read_text()
    assert "no time left" in report
    assert "never" not in report


def test_the_parts_are_commands_of_this_python():
    names = [each.name for each in parts("cuda", 3.0)]
    assert names[:3] == ["probe", "tests", "bench-1"]
    assert len(set(names)) == len(names)
    assert all(each.command[0] == sys.executable for each in parts("cuda", 3.0))


def test_a_profile_names_the_operations_that_take_longest():
    found = profile(make_network(), choose_device("cpu"), KEY, 1)
    assert "conv" in " ".join(kernel.name for kernel in found)
    assert found[0].milliseconds >= found[-1].milliseconds > 0
    assert as_markdown(found).count("\n") == len(found) + 2


def test_fused_work_moves_less_and_traffic_grows_with_the_frame():
    network = make_network()
    plain, fused = (traffic(network, KEY, fused=each) for each in (False, True))
    assert fused.bytes < plain.bytes
    assert fused.operations < plain.operations
    # Every convolution's parameters are read at least.
    assert fused.by_operation["conv2d"] > 2 * sum(each.numel() for each in network.parameters())
    larger = traffic(network, KEY._replace(height=128), fused=True)
    assert larger.by_operation["to_rgb"] == 2 * fused.by_operation["to_rgb"]
    assert larger.operations == fused.operations

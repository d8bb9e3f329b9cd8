"""`cleanplate ablate` trains, examines and compares."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from gateway.__main__ import main
from models.weights import save_weights
from tests.models.random_network import make_network

PLAN = """
about = "Two steps on pictures of a few pixels."
architecture = "mobilenetv2"

[examination]
base_scale = 0.5

[material.people]
set = "cut-outs"
folder = "people"

[material.more-people]
set = "cut-outs"
folder = "people"

[material.rooms]
set = "rooms"
folder = "rooms"

[[stage]]
name = "joint"
kind = "joint"
foregrounds = ["people", "more-people"]
backgrounds = ["rooms"]
steps = 2
batch = 2
heights = [64, 64]
widths = [64, 96]
backbone_rate = 1e-4
aspp_rate = 1e-4
decoder_rate = 1e-4
refiner_rate = 1e-3
refine_pixels = 320
precision = "fp32"
"""

SMALL = ["--size", "96x64", "--scenes", "2", "--device", "cpu", "--threads", "1"]


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.toml"
    file.write_text(PLAN, encoding="utf-8")
    return file


def training(plan: Path, data: Path, *words: str) -> list[str]:
    out = str(plan.parent / "runs")
    given = ["--plan", str(plan), "--data", str(data), "--out", out]
    given += ["--workers", "0"]
    return ["ablate", words[0], *given, *words[1:], *SMALL]


def test_pixels_are_ablated_up_to_all_of_them(
    material: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = save_weights(
        make_network().state_dict(), "mobilenetv2.probe", tmp_path, licence="MIT", data={}
    )
    command = ["ablate", "pixels", "--weights", str(card.path), "--data", str(material)]
    command += ["--patches", "0,50,100000", "--csv", str(tmp_path / "table.csv"), "--json", *SMALL]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    names = [row["name"] for row in told["rows"]]
    assert names == [f"mobilenetv2.probe {k}" for k in ("0", "50", "full")]
    # 96x64 pixels are 24 x 16 patches.
    assert [row["patches"] for row in told["rows"]] == [0, 50, 384]
    assert len({row["alpha_mad"] for row in told["rows"]}) == 3
    assert str(tmp_path) not in told["command"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text(encoding="utf-8"))))
    assert [float(row["alpha_mad"]) for row in rows] == [row["alpha_mad"] for row in told["rows"]]


@pytest.mark.slow
def test_kernels_are_trained_examined_and_not_trained_twice(
    plan_file: Path, material: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*training(plan_file, material, "kernel"), "--json"]
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)["rows"]
    assert [row["name"] for row in first] == ["kernel-1", "kernel-3"]
    assert first[0]["parameters"] < first[1]["parameters"]
    assert first[0]["alpha_mad"] != first[1]["alpha_mad"]
    checkpoints = sorted((plan_file.parent / "runs").rglob("checkpoint.pt"))
    assert [file.parts[-3] for file in checkpoints] == ["kernel-1", "kernel-3"]
    before = [file.stat().st_mtime_ns for file in checkpoints]
    assert main(command) == 0
    assert [file.stat().st_mtime_ns for file in checkpoints] == before
    second = json.loads(capsys.readouterr().out)["rows"]
    assert [row["alpha_mad"] for row in second] == [row["alpha_mad"] for row in first]


@pytest.mark.slow
def test_an_ablation_that_is_stopped_goes_on_from_there(
    plan_file: Path, material: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = training(plan_file, material, "kernel")
    assert main([*command, "--limit-minutes", "0"]) == 2
    assert "stopped in kernel-1 at step 1 of 2" in capsys.readouterr().err
    assert main(command) == 0
    assert "kernel-3" in capsys.readouterr().out


@pytest.mark.slow
def test_sets_are_left_out_and_the_table_says_what_is_missing(
    plan_file: Path, material: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(training(plan_file, material, "data", "--steps", "1")) == 0
    title, head, *rows = capsys.readouterr().out.splitlines()
    assert title.endswith("plan tiny")
    assert head.split()[:4] == ["encoder", "steps", "parameters", "ms"]
    assert [row.split()[0] for row in rows[:3]] == [
        "everything",
        "without-people",
        "without-more-people",
    ]


@pytest.mark.slow
def test_backbones_are_trained_by_the_same_plan(
    plan_file: Path, material: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--backbone", "mobilenetv2", "--backbone", "resnet50", "--steps", "1", "--json"]
    assert main(training(plan_file, material, "backbone", *words)) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["rows"]] == ["mobilenetv2", "resnet50"]
    # Table 4 of the paper.
    assert [round(row["parameters"] / 1e6, 2) for row in told["rows"]] == [5.01, 40.25]
    assert "--backbone mobilenetv2 --backbone resnet50" in told["command"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["pixels", "--weights", "mobilenetv2.nowhere"], "there are no weights named"),
        (["pixels", "--weights", "x", "--recipe", "sunny"], "--recipe takes paper, webrtc"),
        (["pixels", "--weights", "x", "--set", "people"], "--set takes SET=FOLDER"),
        (["kernel", "--out", "runs", "--plan", "nowhere"], "there is no plan 'nowhere'"),
        (["kernel", "--out", "runs", "--steps", "0"], "--steps must be at least 1"),
        (["data", "--out", "runs"], "none can be left out"),
    ],
)
def test_mistakes_are_told_without_a_traceback(
    words: list[str], complaint: str, material: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ablate", *words, "--data", str(material), *SMALL]) == 2
    assert complaint in capsys.readouterr().err


def test_several_processes_are_sent_away(
    material: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["ablate", "pixels", "--weights", "x", "--data", str(material)]) == 2
    assert "without torchrun" in capsys.readouterr().err


def test_missing_pictures_are_told_before_anything_is_trained(
    plan_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(training(plan_file, empty, "kernel")) == 2
    assert "people" in capsys.readouterr().err
    assert not (plan_file.parent / "runs").exists()

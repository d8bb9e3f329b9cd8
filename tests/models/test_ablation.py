from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.__main__ import main
from models.ablation.table import Row, Table
from models.ablation.variants import (
    BACKBONES,
    backbone_variants,
    data_variants,
    kernel_variants,
    with_encoders,
)
from models.errors import MattingError
from models.training.errors import TrainingError
from models.training.plan import Plan, parse_plan, read_plan
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


def table_of(*rows: Row) -> Table:
    return Table("kernel", "2 scenes", "cleanplate ablate", "here", "today", {}, rows)


def training(plan: Path, data: Path, *words: str) -> list[str]:
    out = str(plan.parent / "runs")
    given = ["--plan", str(plan), "--data", str(data), "--out", out]
    given += ["--workers", "0"]
    return ["ablate", words[0], *given, *words[1:], *SMALL]


def test_the_kernel_is_all_that_differs_between_its_variants() -> None:
    plan = read_plan("small-machine")
    one, three = kernel_variants(plan)
    assert (one.name, three.name) == ("kernel-1", "kernel-3")
    assert one.plan == replace(plan, refine_kernel=1)
    assert three.plan == plan


def test_other_backbones_do_not_start_from_the_plans_encoder() -> None:
    plan = read_plan("small-machine")
    variants = backbone_variants(plan, BACKBONES)
    assert [variant.plan.architecture for variant in variants] == list(BACKBONES)
    starts = [variant.start for variant in variants]
    assert starts == ["mobilenetv2-imagenet.safetensors", "random", "random"]


def test_an_encoder_is_given_to_its_backbone_alone(tmp_path: Path) -> None:
    variants = backbone_variants(read_plan("small-machine"), ["mobilenetv2", "resnet50"])
    given = {"resnet50": str(tmp_path / "imagenet.pth"), "mobilenetv2": "random"}
    first, second = with_encoders(variants, given)
    assert (first.start, second.start) == ("random", "imagenet.pth")
    assert second.plan.encoder == str(tmp_path / "imagenet.pth")


def test_an_encoder_for_a_backbone_that_is_not_trained_is_refused() -> None:
    variants = backbone_variants(read_plan("small-machine"), ["mobilenetv2"])
    with pytest.raises(TrainingError, match="'resnet50' is not among the backbones"):
        with_encoders(variants, {"resnet50": "random"})


def test_each_set_of_the_papers_plan_is_left_out_in_turn() -> None:
    plan = read_plan("paper-mobilenetv2")
    everything, *others = data_variants(plan)
    assert everything.plan == plan
    people = {name for stage in plan.stages for name in stage.foregrounds}
    assert {variant.name.removeprefix("without-") for variant in others} >= people
    for variant in others:
        left_out = variant.name.removeprefix("without-")
        assert left_out not in variant.plan.material
        assert len(variant.plan.material) == len(plan.material) - 1


def test_a_set_without_which_nothing_can_be_trained_is_not_left_out() -> None:
    content: dict[str, object] = {
        "name": "tiny",
        "about": "",
        "architecture": "mobilenetv2",
        "material": {
            "people": {"set": "cut-outs", "folder": "people"},
            "more": {"set": "cut-outs", "folder": "more"},
            "rooms": {"set": "rooms", "folder": "rooms"},
        },
        "stages": [
            {
                "name": "base",
                "kind": "base",
                "foregrounds": ["people", "more"],
                "backgrounds": ["rooms"],
                "steps": 1,
                "batch": 2,
                "heights": [64, 64],
                "widths": [64, 64],
                "backbone_rate": 1e-4,
                "aspp_rate": 1e-4,
                "decoder_rate": 1e-4,
                "refiner_rate": 0.0,
            }
        ],
    }
    plan: Plan = parse_plan(content, "tiny.toml")
    names = [variant.name for variant in data_variants(plan)]
    assert names == ["everything", "without-people", "without-more"]


def test_a_plan_that_needs_all_its_sets_is_refused() -> None:
    with pytest.raises(TrainingError, match="none can be left out: use --plan"):
        data_variants(read_plan("small-machine"))


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

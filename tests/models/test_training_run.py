"""Runs: stages in order, stopped and gone on with, and what they leave behind."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch
from torch import Tensor

from models.evaluation.validation import examine
from models.network import MattingNetwork
from models.scenes.material import MaterialMissing
from models.training.beginning import load_run
from models.training.checkpoint import read_checkpoint
from models.training.errors import TrainingError
from models.training.plan import Plan, Source
from models.training.run import examination_scenes, progress, train
from tests.models.random_network import make_network
from tests.models.small_plan import small_plan


def weights(folder: Path) -> dict[str, Tensor]:
    checkpoint = read_checkpoint(folder)
    assert checkpoint is not None
    return dict(checkpoint.averaged)


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return all(torch.equal(first[name], second[name]) for name in first)


def after(count: int) -> Callable[[], bool]:
    """A wish to stop, uttered when asked for the `count`-th time."""
    asked = iter(range(1, 1000))
    return lambda: next(asked) >= count


def pretend(folder: Path, **fields: float) -> None:
    """Let the stage of a checkpoint have begun with other numbers."""
    checkpoint = read_checkpoint(folder)
    assert checkpoint is not None
    replace(checkpoint, stage={**checkpoint.stage, **fields}).write(folder)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_stages_follow_each_other_and_write_down_what_they_did(
    material: Path, tmp_path: Path
) -> None:
    plan = small_plan()
    torch.manual_seed(0)
    before = plan.network().state_dict()
    out = tmp_path / "run"
    assert train(plan, material, out, workers=0) == out / "joint"
    base, joint = weights(out / "base"), weights(out / "joint")
    assert torch.equal(before["refiner.conv1.weight"], base["refiner.conv1.weight"])
    assert not torch.equal(base["refiner.conv1.weight"], joint["refiner.conv1.weight"])
    for earlier, later in ((before, base), (base, joint)):
        assert not torch.equal(earlier["decoder.conv1.weight"], later["decoder.conv1.weight"])
    (row,) = rows(out / "joint")
    assert row["step"] == "2"
    assert 0 < float(row["mad"]) < 1
    assert 0 <= float(row["waited"]) <= 1
    sheet = cv2.imread(str(out / "joint" / "pictures" / "0000002.png"))
    assert sheet is not None
    assert sheet.shape[1] == 7 * 320
    assert list((out / "joint").glob("events.out.tfevents.*"))


def test_a_record_says_what_the_card_needs(material: Path, tmp_path: Path) -> None:
    folder = train(small_plan(), material, tmp_path / "run", seed=5, workers=0)
    checkpoint = read_checkpoint(folder)
    assert checkpoint is not None
    record = checkpoint.record
    assert record["seed"] == 5
    assert record["begun"] == "base"
    assert record["material"]["people"]["training"] == 28
    assert record["material"]["rooms"]["validation"] == 2
    assert record["versions"]["torch"] == torch.__version__
    assert record["machine"]
    assert record["seconds"] > 0


def test_the_same_seed_makes_the_same_weights_and_another_does_not(
    material: Path, tmp_path: Path
) -> None:
    plan = replace(small_plan(), stages=small_plan().stages[1:])
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        train(plan, material, tmp_path / name, seed=seed, workers=0)
    assert same(tmp_path / "one" / "joint", tmp_path / "two" / "joint")
    assert not same(tmp_path / "one" / "joint", tmp_path / "other" / "joint")


@pytest.mark.parametrize("name", ["base", "joint"])
def test_a_stage_that_was_stopped_goes_on_as_if_it_had_not_been(
    name: str, material: Path, tmp_path: Path
) -> None:
    plan = small_plan(steps=4)
    plan = replace(plan, stages=(plan.stage(name),))
    whole = train(plan, material, tmp_path / "whole", workers=0)
    stopped = train(plan, material, tmp_path / "stopped", workers=0, stop=after(3))
    assert progress(plan, tmp_path / "stopped") == {name: (3, 4)}
    # Another process would begin with other random numbers than this one left behind.
    torch.manual_seed(99)
    train(plan, material, tmp_path / "stopped", workers=0)
    assert [row["step"] for row in rows(stopped)] == ["2", "4"]
    assert same(whole, stopped)


def test_a_limit_of_minutes_ends_with_a_checkpoint(material: Path, tmp_path: Path) -> None:
    plan = small_plan(steps=4)
    train(plan, material, tmp_path, workers=0, limit_minutes=0)
    assert progress(plan, tmp_path) == {"base": (1, 4)}


def test_finished_stages_are_passed_over(material: Path, tmp_path: Path) -> None:
    plan = small_plan()
    train(plan, material, tmp_path, workers=0)
    trained = [(tmp_path / name / "checkpoint.pt").stat().st_mtime_ns for name in ("base", "joint")]
    assert train(plan, material, tmp_path, workers=0) == tmp_path / "joint"
    assert trained == [
        (tmp_path / name / "checkpoint.pt").stat().st_mtime_ns for name in ("base", "joint")
    ]


def test_missing_material_is_told_before_anything_is_trained(
    material: Path, tmp_path: Path
) -> None:
    plan = small_plan()
    joint = replace(plan.stage("joint"), foregrounds=("studio",))
    plan = Plan(
        name="more", about="", architecture="mobilenetv2", stages=(plan.stage("base"), joint),
        material={**plan.material, "studio": Source("photomatte13k", "PhotoMatte13K")},
    )  # fmt: skip
    with pytest.raises(MaterialMissing, match=r"PhotoMatte13K.*described in Lin et al\."):
        train(plan, material, tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def test_a_stage_alone_needs_the_one_before_or_a_start(material: Path, tmp_path: Path) -> None:
    plan = small_plan()
    with pytest.raises(TrainingError, match=r"no checkpoint in .*base: train"):
        train(plan, material, tmp_path, stage="joint", workers=0)
    torch.save(make_network().state_dict(), tmp_path / "given.pth")
    train(plan, material, tmp_path, stage="joint", start=tmp_path / "given.pth", workers=0)
    assert progress(plan, tmp_path) == {"joint": (2, 2)}
    network = load_run(tmp_path / "joint", plan)
    given = make_network().state_dict()["backbone.features.3.conv.0.0.weight"]
    assert torch.allclose(
        network.state_dict()["backbone.features.3.conv.0.0.weight"], given, atol=1e-2
    )


def test_only_the_first_stage_begins_with_what_is_given(material: Path, tmp_path: Path) -> None:
    torch.save(make_network().state_dict(), tmp_path / "given.pth")
    out = tmp_path / "run"
    begun = {}
    for stage in ("base", None):  # as after a machine that went away between the two
        folder = train(
            small_plan(), material, out, stage=stage, start=tmp_path / "given.pth", workers=0
        )
        checkpoint = read_checkpoint(folder)
        assert checkpoint is not None
        begun[folder.name] = checkpoint.record["begun"]
    assert begun == {"base": "given.pth", "joint": "base"}


def test_a_record_names_the_encoder_that_was_taken(material: Path, tmp_path: Path) -> None:
    plan = replace(small_plan(), encoder="other.safetensors", encoder_about="the plan's")
    torch.save(make_network().state_dict(), tmp_path / "given.pth")
    begins = {"random": {"encoder": "random"}, "start": {"start": tmp_path / "given.pth"}}
    for name, begin in begins.items():
        folder = train(plan, material, tmp_path / name, stage="base", workers=0, **begin)
        checkpoint = read_checkpoint(folder)
        assert checkpoint is not None
        assert checkpoint.record["encoder"] == {"file": "", "about": ""}


def test_a_stage_goes_on_with_the_seed_it_began_with(material: Path, tmp_path: Path) -> None:
    plan = small_plan(steps=4)
    train(plan, material, tmp_path, seed=3, workers=0, stop=after(1))
    with pytest.raises(TrainingError, match=r"base began with --seed 3, not 0: give that"):
        train(plan, material, tmp_path, workers=0)


def test_a_start_of_another_network_is_refused(material: Path, tmp_path: Path) -> None:
    plan = replace(small_plan(), refine_kernel=1)
    torch.save(make_network().state_dict(), tmp_path / "given.pth")
    with pytest.raises(TrainingError, match="give another --start"):
        train(plan, material, tmp_path, start=tmp_path / "given.pth", workers=0)
    train(small_plan(), material, tmp_path / "run", workers=0)
    with pytest.raises(TrainingError, match="give another --out"):
        train(
            replace(plan, stages=small_plan(steps=4).stages), material, tmp_path / "run", workers=0
        )


def test_a_damaged_checkpoint_is_named(material: Path, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "checkpoint.pt").write_bytes(b"PK torn")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is damaged"):
        train(small_plan(), material, tmp_path, workers=0)


def test_a_loss_that_is_no_number_leaves_the_checkpoint_before_it(
    material: Path, tmp_path: Path
) -> None:
    train(small_plan(steps=2), material, tmp_path, stage="base", workers=0)
    pretend(tmp_path / "base", decoder_rate=float("inf"))
    with pytest.raises(TrainingError, match="no number any more before step 4"):
        train(
            small_plan(steps=4, decoder_rate=float("inf")), material, tmp_path,
            stage="base", workers=0,
        )  # fmt: skip
    assert progress(small_plan(), tmp_path)["base"] == (2, 2)


def test_not_even_a_stop_writes_parameters_that_are_no_numbers(
    material: Path, tmp_path: Path
) -> None:
    train(small_plan(steps=4), material, tmp_path, stage="base", workers=0, stop=after(1))
    pretend(tmp_path / "base", decoder_rate=float("inf"))
    with pytest.raises(TrainingError, match="no number any more before step 3"):
        train(
            small_plan(steps=4, decoder_rate=float("inf"), examine_every=4), material, tmp_path,
            stage="base", workers=0, stop=after(2),
        )  # fmt: skip
    assert progress(small_plan(), tmp_path)["base"] == (1, 4)


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_other_precisions_train_too(precision: str, material: Path, tmp_path: Path) -> None:
    plan = small_plan(precision=precision, steps=3)
    train(plan, material, tmp_path, workers=0)
    checkpoint = read_checkpoint(tmp_path / "joint")
    assert checkpoint is not None
    assert checkpoint.record["precision"] == precision
    assert bool(checkpoint.scaler) == (precision == "fp16")
    assert all(bool(value.isfinite().all()) for value in checkpoint.network.values())


def test_the_examination_is_the_same_every_time(material: Path) -> None:
    network = MattingNetwork()
    plan = small_plan()
    first, again = (
        examine(network, examination_scenes(plan, plan.stage("base"), material)) for _ in range(2)
    )
    assert first == again
    assert first.scenes == 2
    assert 0 < first.mad < 1


def test_a_module_whose_rate_is_zero_stays_as_it_is_with_its_statistics(
    material: Path, tmp_path: Path
) -> None:
    frozen = small_plan(backbone_rate=0, aspp_rate=0, focus=0.5, clean=0.5)
    plan = replace(frozen, stages=frozen.stages[1:])
    torch.manual_seed(0)
    out = train(plan, material, tmp_path / "run", workers=0)
    again = train(plan.shortened(1), material, tmp_path / "again", workers=0)
    first, second = weights(out), weights(again)
    unequal = {name for name in first if not torch.equal(first[name], second[name])}
    assert {name.split(".")[0] for name in unequal} == {"decoder", "refiner"}


def test_a_stage_does_not_go_on_with_another_plan_but_may_become_longer(
    material: Path, tmp_path: Path
) -> None:
    plan = small_plan(steps=4)
    train(plan, material, tmp_path, workers=0, stop=after(1))
    other = small_plan(steps=4, decoder_rate=1e-3)
    with pytest.raises(TrainingError, match="base began with another plan, decoder_rate changed"):
        train(other, material, tmp_path, workers=0)
    assert train(small_plan(steps=3), material, tmp_path, workers=0) == tmp_path / "joint"

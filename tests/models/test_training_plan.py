"""Plans state what is trained, and say what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.scenes.public_sets import PUBLIC_SETS
from models.training.errors import TrainingError
from models.training.plan import list_plans, parse_plan, read_plan
from tests.models.small_plan import small_stage


def content(**changes: Any) -> dict[str, Any]:
    stage = {
        "name": "base", "kind": "base", "steps": 10, "batch": 8,
        "heights": [128, 208], "widths": [208, 320],
        "backbone_rate": 1e-4, "aspp_rate": 5e-4, "decoder_rate": 5e-4, "refiner_rate": 0,
        "foregrounds": ["people"], "backgrounds": ["rooms"],
    }  # fmt: skip
    material = {
        "people": {"set": "cut-outs", "folder": "people"},
        "rooms": {"set": "rooms", "folder": "rooms"},
    }
    whole: dict[str, Any] = {
        "name": "mine", "about": "a test", "architecture": "mobilenetv2", "material": material,
    }  # fmt: skip
    top = {key: value for key, value in changes.items() if key in {"architecture", "material"}}
    return {
        **whole,
        **top,
        "stages": [{**stage, **{k: changes[k] for k in changes if k not in top}}],
    }


@pytest.mark.parametrize("name", list_plans())
def test_every_plan_that_ships_can_be_read_and_names_sets_that_there_are(name: str) -> None:
    plan = read_plan(name)
    assert {source.set for source in plan.material.values()} <= set(PUBLIC_SETS)
    assert not any(PUBLIC_SETS[source.set].test_only for source in plan.material.values())
    assert plan.network().config.backbone == plan.architecture


@pytest.mark.parametrize("architecture", ["mobilenetv2", "resnet50", "resnet101"])
def test_the_paper_is_stated_as_published(architecture: str) -> None:
    plan = read_plan(f"paper-{architecture}")
    assert plan.architecture == architecture
    first, *joint = plan.stages
    assert [(s.kind, s.foregrounds, s.epochs) for s in plan.stages] == [
        ("base", ("videomatte240k",), 8),
        ("joint", ("videomatte240k",), 1),
        ("joint", ("photomatte13k",), 25),
        ("joint", ("distinctions646",), 30),
    ]
    assert (first.batch, first.heights, first.widths) == (8, (256, 511), (256, 511))
    assert list(first.rates.values()) == [1e-4, 5e-4, 5e-4, 0]
    for stage in joint:
        assert (stage.batch, stage.heights, stage.widths) == (4, (1024, 2044), (1024, 2044))
        assert list(stage.rates.values()) == [5e-5, 5e-5, 1e-4, 3e-4]
        assert (stage.base_scales, stage.refine_pixels) == ((0.25,), 80_000)
    for stage in plan.stages:
        assert stage.recipe == "paper"
        assert (stage.clip, stage.average) == (0, 0)
        assert {stage.share(step) for step in (0, 7, 10**6)} == {1.0}


def test_the_small_machine_rises_and_falls_with_its_rates() -> None:
    base = read_plan("small-machine").stage("base")
    assert base.share(0) == pytest.approx(0.01, rel=1e-2)
    assert base.share(750) == pytest.approx(0.51, rel=1e-2)
    assert base.share(base.steps) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"batchs": 3}, "no key 'batchs' at stage.1.batchs; there are: kind, batch"),
        ({"batch": "3"}, "stage.1.batch: Input should be a valid integer, not '3'"),
        ({"batch": 1}, "batch must be at least 2"),
        ({"heights": [320, 128]}, "heights must be"),
        ({"steps": 0}, "give steps or epochs"),
        ({"refiner_rate": 1e-3}, "refiner_rate must be 0"),
        ({"backgrounds": ["gardens"]}, "backgrounds out of ['people', 'rooms']"),
        ({"architecture": "vgg"}, "'mobilenetv2', 'resnet50' or 'resnet101'"),
        ({"material": {"people": {"set": "cut-outs"}}}, "material.people.folder is missing"),
    ],
)
def test_a_wrong_plan_names_file_key_and_remedy(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TrainingError) as refused:
        parse_plan(content(**changes), "mine.toml")
    assert "mine.toml" in str(refused.value)
    assert told in str(refused.value)


def test_a_plan_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="small-machine"):
        read_plan("smal-machine")
    (tmp_path / "torn.toml").write_text("[[stage")
    with pytest.raises(TrainingError, match=r"torn\.toml cannot be read"):
        read_plan(tmp_path / "torn.toml")


def test_a_set_can_be_left_out() -> None:
    plan = read_plan("paper-resnet50").without("videomatte240k")
    assert [stage.name for stage in plan.stages] == ["photomatte13k-joint", "distinctions646-joint"]
    assert "videomatte240k" not in plan.material
    with pytest.raises(ValueError, match="stages"):
        read_plan("small-machine").without("people")


def test_a_plan_can_be_shortened_and_given_another_network() -> None:
    plan = replace(read_plan("small-machine").shortened(20), refine_kernel=1)
    assert {stage.steps for stage in plan.stages} == {20}
    assert plan.network().refiner.conv1.kernel_size == (1, 1)
    assert isinstance(plan.network().decoder.conv4.bias, torch.Tensor)


@pytest.mark.parametrize("name", ["focus", "clean", "drifted"])
def test_what_only_our_recipe_knows_is_refused_with_the_papers(name: str) -> None:
    with pytest.raises(ValueError, match="belong to the recipe webrtc"):
        small_stage(recipe="paper", **{name: 0.5})


def test_shares_of_samples_are_no_more_than_all_of_them() -> None:
    assert small_stage(clean=0.5, drifted=0.5).drifted == 0.5
    for shares in ({"clean": 0.6, "drifted": 0.5}, {"drifted": 1.1}, {"clean": -0.1}):
        with pytest.raises(ValueError, match="at most 1 together"):
            small_stage(**shares)

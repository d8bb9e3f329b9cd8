"""The networks that an ablation compares differ in one thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.ablation.variants import (
    BACKBONES,
    backbone_variants,
    data_variants,
    kernel_variants,
    with_encoders,
)
from models.training.errors import TrainingError
from models.training.plan import Plan, parse_plan, read_plan


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

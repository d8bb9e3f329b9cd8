"""A plan of two tiny stages on the `material` that the tests draw themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.training.plan import Examination, Plan, Source
from models.training.stage import Stage


def small_stage(**changes: Any) -> Stage:
    """The base stage, two steps."""
    stage = Stage(
        kind="base", batch=2, heights=(32, 32), widths=(32, 48), backbone_rate=1e-4, aspp_rate=5e-4,
        decoder_rate=5e-4, refiner_rate=0, steps=2, warmup=1, examine_every=2, name="base",
        foregrounds=("people",), backgrounds=("rooms",),
    )  # fmt: skip
    return replace(stage, **changes)


def small_plan(**changes: Any) -> Plan:
    """Base and joint; `changes` go to both stages."""
    joint = {"kind": "joint", "refiner_rate": 1e-3, "name": "joint", "refine_pixels": 320}
    return Plan(
        name="small",
        about="for tests",
        architecture="mobilenetv2",
        stages=(small_stage(**changes), small_stage(**{**changes, **joint})),
        material={"people": Source("cut-outs", "people"), "rooms": Source("rooms", "rooms")},
        examination=Examination(64, 96, 2, 0.5),
    )

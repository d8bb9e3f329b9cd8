"""One plan of training in several variants that differ in a single choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, get_args

from models.network import Backbone
from models.training.errors import TrainingError
from models.training.plan import RANDOM, Plan

KERNELS: Final[tuple[Literal[1, 3], ...]] = (1, 3)
BACKBONES: Final[tuple[Backbone, ...]] = get_args(Backbone)


@dataclass(frozen=True, slots=True)
class Variant:
    """What is trained, and what tells it from the others."""

    name: str
    """Of its row in the table and its folder in the run."""
    plan: Plan

    @property
    def start(self) -> str:
        """What the encoder starts from, for the table."""
        return Path(self.plan.encoder).name or RANDOM


def kernel_variants(plan: Plan) -> list[Variant]:
    """The refiner with convolutions of 1x1 and of 3x3 (table 6)."""
    return [Variant(f"kernel-{kernel}", replace(plan, refine_kernel=kernel)) for kernel in KERNELS]


def backbone_variants(plan: Plan, backbones: Sequence[Backbone]) -> list[Variant]:
    """The same training of other backbones (table 6).

    The plan's encoder is for its own backbone; the others start at random unless `with_encoders`
    gives them something.
    """
    changed = (
        plan
        if backbone == plan.architecture
        else replace(plan, architecture=backbone, encoder="", encoder_about="")
        for backbone in backbones
    )
    return [Variant(each.architecture, each) for each in changed]


def with_encoders(variants: Sequence[Variant], encoders: Mapping[str, str]) -> list[Variant]:
    """The same variants, started from other encoders.

    Args:
        variants: as they are.
        encoders: a file for a backbone, or `random`.

    Raises:
        TrainingError: a backbone is named that none of the variants has.
    """
    trained = dict.fromkeys(variant.plan.architecture for variant in variants)
    for name in encoders:
        if name not in trained:
            raise TrainingError(
                f"--encoder {name}=...: {name!r} is not among the backbones that are trained, "
                f"{', '.join(trained)}"
            )

    def started(plan: Plan) -> Plan:
        word = encoders.get(plan.architecture)
        return plan if word is None else plan.starting_from(word)

    return [replace(variant, plan=started(variant.plan)) for variant in variants]


def data_variants(plan: Plan) -> list[Variant]:
    """Everything, and every set left out in turn (table 5).

    A set that a stage cannot do without, as its only backgrounds, is not left out.

    Raises:
        TrainingError: nothing can be left out.
    """
    used = {name for stage in plan.stages for name in (*stage.foregrounds, *stage.backgrounds)}
    variants = [Variant("everything", plan)]
    for name in plan.material:
        if name not in used:
            continue
        try:
            variants.append(Variant(f"without-{name}", plan.without(name)))
        except ValueError:
            continue  # it is needed
    if len(variants) == 1:
        raise TrainingError(
            f"the plan {plan.name} needs every set that it has ({', '.join(sorted(used))}), so "
            "none can be left out: use --plan paper-mobilenetv2, or a plan with several sets"
        )
    return variants

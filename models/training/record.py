"""What a checkpoint keeps for the card of the weights that will come out of it."""

from __future__ import annotations

import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.scenes.material import open_backgrounds, open_foregrounds
from models.training.distributed import Team
from models.training.plan import Plan
from models.training.stage import Stage
from models.weights.card import checksum


def make_record(
    plan: Plan, stage: Stage, data: Path, team: Team, *, seed: int, precision: str, begun: str
) -> dict[str, Any]:
    """Plain values: everything about a stage that its parameters do not tell.

    Args:
        plan: as it was when the stage began.
        stage: the one that trains.
        data: where its material lies, to count it.
        team: who trains.
        seed: of the run.
        precision: of the network's arithmetic.
        begun: what the stage's parameters were before it.
    """
    return {
        "plan": plan.name,
        "architecture": plan.architecture,
        "refine_kernel": plan.refine_kernel,
        "base_scale": plan.examination.base_scale,
        "licence": plan.licence,
        "encoder": {"file": plan.encoder, "about": plan.encoder_about},
        "seed": seed + stage.seed,
        "precision": precision,
        "begun": begun,
        "material": describe_material(plan, stage, data),
        "machine": describe_machine(team),
        "processes": team.size,
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "numpy": np.__version__,
        },
    }


def describe_material(plan: Plan, stage: Stage, data: Path) -> dict[str, dict[str, Any]]:
    """Every set of a stage: what it is, and how many pictures each split has."""
    described: dict[str, dict[str, Any]] = {}
    for names, opener in (
        (stage.foregrounds, open_foregrounds),
        (stage.backgrounds, open_backgrounds),
    ):
        for name in names:
            source = plan.material[name]
            described[name] = {
                **asdict(source),
                "training": len(opener(source.material, data, "train")),
                "validation": len(opener(source.material, data, "validation")),
            }
    return described


def describe_machine(team: Team) -> str:
    """The device's name and how many threads or processes."""
    if team.device.kind == "cpu":
        return f"{team.device.name}, {torch.get_num_threads()} threads"
    return f"{team.size} x {team.device.name}" if team.size > 1 else team.device.name


def encoder_checksum(file: Path) -> str:
    """For `begun`."""
    return f"encoder {file.name} (SHA-256 {checksum(file)[:16]})"

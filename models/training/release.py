"""From a finished run to weights with a card."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.training.checkpoint import Checkpoint, read_checkpoint
from models.training.errors import TrainingError
from models.training.journal import TABLE
from models.training.plan import Plan
from models.training.record import describe_material
from models.weights import Card, load_network, save_weights


def release(
    runs: Sequence[Path],
    name: str,
    folder: Path,
    *,
    plan: Plan | None = None,
    data: Path | None = None,
) -> Card:
    """Write the last run's averaged weights in half precision, with a card and without scores.

    Args:
        runs: folders of the stages in order; the last one's weights are released.
        name: `<architecture>.<tag>`.
        folder: of weights and card.
        plan: for runs from before checkpoints kept a record of it.
        data: for the same runs: with their material, to count it.

    Raises:
        TrainingError: a run is not there, holds only the base stage, or lacks its record.
        WeightsError: the name is taken or does not fit.
    """
    stages = [(run, _read(run)) for run in runs]
    last = stages[-1][1]
    if last.stage["kind"] == "base":
        raise TrainingError(
            f"{runs[-1]} is a base stage, whose refiner was not trained: release a joint stage"
        )
    records = [dict(at.record) or _made_up(plan, data, run.name) for run, at in stages]
    card = save_weights(
        dict(last.averaged),
        name,
        folder,
        licence=str(records[-1]["licence"]),
        config={"base_scale": records[-1]["base_scale"]},
        data=_data(records),
        schedule={run.name: _schedule(at, run) for run, at in stages},
    )
    load_network(card.path)
    return card


def _read(run: Path) -> Checkpoint:
    checkpoint = read_checkpoint(run)
    if checkpoint is None:
        raise TrainingError(
            f"there is no checkpoint in {run}: give the folder of one stage, RUN/STAGE"
        )
    return checkpoint


def _made_up(plan: Plan | None, data: Path | None, stage: str) -> dict[str, Any]:
    """The record of a run that kept none, as far as plan and material tell it."""
    if plan is None or data is None:
        raise TrainingError(
            f"the checkpoint of {stage} is from before checkpoints kept what a card needs: give "
            "--plan PLAN and --data DATA as well"
        )
    return {
        "licence": plan.licence,
        "base_scale": plan.examination.base_scale,
        "encoder": {"file": plan.encoder, "about": plan.encoder_about},
        "material": {
            name: described
            for known in plan.stages
            # A detour that the plan does not know saw what the others see.
            if known.name == stage or stage not in {each.name for each in plan.stages}
            for name, described in describe_material(plan, known, data).items()
        },
    }


def _data(records: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Every set once: what it is, then how many of it trained and how many were held back."""
    material = {name: source for record in records for name, source in record["material"].items()}
    data: dict[str, object] = {
        name: source["about"] or source["set"] for name, source in material.items()
    }
    if about := records[0]["encoder"]["about"]:
        data["encoder"] = about
    for name, source in material.items():
        data[f"training_{name}"] = source["training"]
        data[f"validation_{name}"] = source["validation"]
    return data


def _schedule(checkpoint: Checkpoint, run: Path) -> dict[str, object]:
    stage, record = checkpoint.stage, checkpoint.record
    # Stages from before plans had a single scale, a cosine always, and the precision of the CPU.
    fall = "cosine" if stage.get("settle", True) else "constant rates"
    average = f", moving average {stage['average']} of the parameters" if stage["average"] else ""
    schedule: dict[str, object] = {
        "steps": checkpoint.step,
        "batch": stage["batch"],
        "heights": list(stage["heights"]),
        "widths": list(stage["widths"]),
        "base_scales": list(stage.get("base_scales", [stage.get("base_scale", 0.5)])),
        "zoom": list(stage.get("zoom", [1.0, 1.0])),
        "rates": [stage[f"{m}_rate"] for m in ("backbone", "aspp", "decoder", "refiner")],
        "optimiser": f"Adam, {record.get('precision', 'bf16')} autocast, {fall}{average}",
    }
    # What an older checkpoint does not say was not the same in all of them: better silent.
    schedule |= {name: stage[name] for name in ("focus", "clean", "drifted") if name in stage}
    if stage["kind"] == "base":
        del schedule["base_scales"]
    if record:
        schedule["recipe"] = stage["recipe"]
        schedule["plan"] = record["plan"]
        schedule["seed"] = record["seed"]
        schedule["begun_with"] = record["begun"]
        schedule["machine"] = record["machine"]
        schedule["hours"] = round(float(record.get("seconds", 0)) / 3600, 2)
        schedule["torch"] = record["versions"]["torch"]
    loss = _last_loss(run / TABLE, checkpoint.step)
    return schedule if loss is None else {**schedule, "last_loss": loss}


def _last_loss(table: Path, step: int) -> float | None:
    """The mean loss before the last examination; None where none is written down."""
    if not table.is_file():
        return None
    with table.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
    return round(float(rows[-1]["loss"]), 5) if rows else None

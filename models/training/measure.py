"""Whether the input keeps up: the share of its time that the device waits for data."""

from __future__ import annotations

from pathlib import Path

import torch
from tqdm import tqdm

from models.training.batches import Batches, load, open_material
from models.training.distributed import join_team
from models.training.plan import Plan
from models.training.record import describe_machine
from models.training.trainer import Trainer
from models.training.waiting import Waiting


def measure_loader(
    plan: Plan, data: Path, steps: int, *, stage: str | None = None, workers: int,
    device: str = "auto", seed: int = 0,
) -> dict[str, object]:  # fmt: skip
    """Train `steps` steps of a stage, the last if not named, for their time; nothing is written.

    The first half of them is not counted: the loader begins with nothing in store, and the device
    with everything to choose.

    Returns:
        `waits`: share of the time the device waited for data, 0..1; `seconds_per_step`,
        `samples_per_second`, and what was measured where.
    """
    plan = plan.shortened(steps)
    wanted = plan.stage(stage) if stage else plan.stages[-1]
    with join_team(device) as team:
        torch.manual_seed(seed)
        people, rooms = open_material(plan, wanted, data, "train", keep=True)
        batches = Batches(wanted, people, rooms, seed=seed, share=team.share(wanted.batch))
        steps = len(batches)
        trainer = Trainer(batches.stage, plan.network(), team, seed)
        source = load(batches, 0, workers, pin=team.device.kind != "cpu")
        waiting = Waiting(trainer.device)
        batch = trainer.move(next(source))
        for number in tqdm(range(steps), desc=wanted.name, unit="step", disable=None):
            if number == steps // 2:
                waiting.reset()
            waiting.began()
            trainer.step(number, batch)
            waiting.ended()
            if number + 1 < steps:
                batch = trainer.move(next(source))
        seconds, waits = waiting.tally()
        return {
            "stage": wanted.name,
            "waits": round(waits, 4),
            "seconds_per_step": round(seconds, 4),
            "samples_per_second": round(wanted.batch / seconds, 2),
            "steps": steps - steps // 2,
            "workers": workers,
            "precision": trainer.precision,
            "machine": describe_machine(team),
        }

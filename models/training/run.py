"""A plan's stages in order, each from the one before, able to stop and go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from tqdm import tqdm

from models.errors import MattingError
from models.evaluation.recipes import RECIPES as VIEWS
from models.evaluation.sets import StillSet
from models.evaluation.validation import examine
from models.network import MattingNetwork
from models.scenes.sample import Batch, stack
from models.training.batches import Batches, load, open_material
from models.training.checkpoint import Checkpoint, read_checkpoint
from models.training.distributed import Team, join_team
from models.training.encoder import start_encoder
from models.training.errors import TrainingError
from models.training.journal import Journal
from models.training.plan import Plan
from models.training.record import encoder_checksum, make_record
from models.training.sheet import contact_rows
from models.training.stage import Stage
from models.training.trainer import Trainer
from models.training.waiting import Waiting
from models.weights import load_network

logger = logging.getLogger(__name__)

RANDOM: Final = "random"
"""Instead of an encoder's file."""

LOOK: Final = 10
"""Steps between two looks at the loss, which an accelerator has to be waited for."""

SHOWN: Final = 6
"""Scenes in the journal's pictures."""


def train(
    plan: Plan,
    data: Path,
    out: Path,
    *,
    stage: str | None = None,
    start: str | Path | None = None,
    encoder: str | Path | None = None,
    seed: int = 0,
    workers: int = 1,
    limit_minutes: float | None = None,
    device: str = "auto",
    stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Train what is not trained yet, each stage in its own folder below `out`.

    A stage goes on from its checkpoint; a finished one is passed over. With several processes
    (torchrun) every one calls this, and the first one writes.

    Args:
        plan: what to train; see `Plan.shortened` and `Plan.without`.
        data: the folder of the material.
        out: the run's folder.
        stage: only this one.
        start: a card, a file of weights or a stage's folder that the first stage begins with.
        encoder: a file instead of the plan's, or `random`.
        seed: same seed, same weights: on a processor to the bit (with as many threads), elsewhere
            as far as the order of its sums allows.
        workers: processes that make samples; 0 for this one.
        limit_minutes: write a checkpoint and return after so long.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        stop: asked after every step; true is as good as the limit.

    Returns:
        The folder of the last stage that was trained, or was finished already.

    Raises:
        TrainingError, MaterialMissing, MaterialUnfit, WeightsError: before anything is trained.
    """
    deadline = None if limit_minutes is None else time.monotonic() + 60 * limit_minutes

    def ended() -> bool:
        return stop() or (deadline is not None and time.monotonic() >= deadline)

    stages = plan.stages if stage is None else (plan.stage(stage),)
    todo = [each for each in stages if not _is_finished(each, out / each.name)]
    _check_material(plan, todo, data)
    with join_team(device) as team:
        torch.manual_seed(seed)
        if todo:
            # Made at once, so that what is missing for the first step is told before any.
            network, begun = _begin(plan, todo[0], data, out, start, encoder)
        for index, each in enumerate(todo):
            if index:
                network, begun = load_run(out / todo[index - 1].name, plan), todo[index - 1].name
            run = _Run(plan, each, data, out / each.name, team, seed, workers, begun)
            if not run.train(network, ended):
                return run.folder
    return out / stages[-1].name


def load_run(folder: Path, plan: Plan | None = None) -> MattingNetwork:
    """What a stage has made so far: its moving average, on the processor.

    Args:
        folder: the stage's.
        plan: whose network it is; MobileNetV2 as published if not given.

    Raises:
        TrainingError: there is no checkpoint, or one of another network.
    """
    checkpoint = read_checkpoint(folder)
    if checkpoint is None:
        raise TrainingError(f"there is no checkpoint in {folder}: train that stage first")
    network = plan.network() if plan else MattingNetwork()
    try:
        network.load_state_dict(checkpoint.averaged)
    except RuntimeError as error:
        raise TrainingError(
            f"{folder} holds a network that is not {network.config.backbone}: "
            "give the plan it was trained by"
        ) from error
    return network


def progress(plan: Plan, out: Path) -> dict[str, tuple[int, int]]:
    """Steps done and steps in all of every stage that has begun."""
    found = {each.name: read_checkpoint(out / each.name) for each in plan.stages}
    return {name: (at.step, int(at.stage["steps"])) for name, at in found.items() if at}


class _Run:
    """One stage with everything around its trainer."""

    def __init__(
        self, plan: Plan, stage: Stage, data: Path, folder: Path, team: Team, seed: int,
        workers: int, begun: str,
    ) -> None:  # fmt: skip
        self.plan, self.data, self.folder, self.team = plan, data, folder, team
        people, rooms = open_material(plan, stage, data, "train", keep=True)
        self.batches = Batches(stage, people, rooms, seed=seed, share=team.share(stage.batch))
        self.stage = self.batches.stage
        self.seed, self.workers, self.begun = seed, workers, begun
        self.scenes = examination_scenes(plan, self.stage, data) if team.leads else []

    def train(self, network: MattingNetwork, ended: Callable[[], bool]) -> bool:
        """From the last checkpoint to the end; false if stopped before."""
        trainer = Trainer(self.stage, network, self.team, self.seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        before = read_checkpoint(self.folder)
        start = before.step if before else 0
        if before:
            trainer.resume(before)
            logger.info("stage %s goes on from step %d", self.stage.name, start)
        record = self._record(trainer, before)
        if not self.team.leads:
            return self._steps(trainer, start, record, None, ended)
        with Journal(self.folder, start) as journal:
            return self._steps(trainer, start, record, journal, ended)

    def _steps(
        self, trainer: Trainer, start: int, record: dict[str, Any], journal: Journal | None,
        ended: Callable[[], bool],
    ) -> bool:  # fmt: skip
        last = self.stage.steps
        pin = trainer.device.type != "cpu"
        source = load(self.batches, start, self.workers, pin=pin)
        batch = trainer.move(next(source)) if start < last else None
        waiting, losses = Waiting(trainer.device), []
        began, spent = time.monotonic(), float(record.get("seconds", 0.0))
        bar = tqdm(
            range(start, last), initial=start, total=last, desc=self.stage.name,
            unit="step", disable=None if self.team.leads else True,
        )  # fmt: skip
        for number in bar:
            assert batch is not None
            waiting.began()
            losses.append(trainer.step(number, batch))
            waiting.ended()
            done = number + 1
            # Fetched while an accelerator still works on the step.
            batch = trainer.move(next(source)) if done < last else None
            examined = done % self.stage.examine_every == 0 or done == last
            if done % LOOK == 0 or examined:
                seconds, waited = waiting.tally()
                bar.set_postfix(loss=f"{float(losses[-1]):.4f}", waits=f"{waited:.0%}")
            if examined and journal:
                scores = self._examine(trainer, journal, done)
                mean = float(torch.stack(losses).mean())
                rate = self.stage.share(number)
                journal.write(
                    done,
                    {"loss": mean, "seconds": seconds, "waited": waited, "rate": rate, **scores},
                )
                logger.info("step %d: loss %.4f, %s", done, mean, scores)
            stopped = done < last and self.team.agree(ended())
            if (examined or stopped) and self.team.leads:
                record["seconds"] = round(spent + time.monotonic() - began, 1)
                trainer.checkpoint(done, record).write(self.folder)
            if examined:
                losses.clear()
                waiting.reset()
            if stopped:
                logger.info("stage %s stopped after step %d", self.stage.name, done)
                return False
        self.team.wait()
        return True

    def _examine(self, trainer: Trainer, journal: Journal, step: int) -> dict[str, float]:
        network = trainer.averaged
        if self.stage.kind == "base":  # the refiner knows nothing yet
            network = network.with_settings(refine_pixels=0)
        journal.show(step, contact_rows(network, self.scenes[:SHOWN]))
        return asdict(examine(network, list(self.scenes)))

    def _record(self, trainer: Trainer, before: Checkpoint | None) -> dict[str, Any]:
        if before and before.record:
            return dict(before.record)
        return make_record(
            self.plan, self.stage, self.data, self.team,
            seed=self.seed, precision=trainer.precision, begun=self.begun,
        )  # fmt: skip


def examination_scenes(plan: Plan, stage: Stage, data: Path) -> list[Batch]:
    """The held-back scenes a stage is scored on, as batches of one."""
    wanted = plan.examination
    people = plan.material[stage.foregrounds[0]].material
    rooms = plan.material[stage.backgrounds[0]].material
    still = StillSet(people, rooms, data, (wanted.height, wanted.width))
    return [
        stack([(s.source, s.plate, s.alpha[..., None], s.foreground)])
        for s in still.samples(VIEWS["paper"], wanted.scenes)
    ]


def _is_finished(stage: Stage, folder: Path) -> bool:
    checkpoint = read_checkpoint(folder)
    # The plan counts, which may have been shortened or lengthened since.
    return checkpoint is not None and (
        checkpoint.step >= stage.steps if stage.steps else checkpoint.finished
    )


def _check_material(plan: Plan, stages: Sequence[Stage], data: Path) -> None:
    """Raises what is missing for any of the stages, before the first of them trains."""
    complaints: dict[str, MattingError] = {}
    for stage in stages:
        for split in ("train", "validation"):
            try:
                open_material(plan, stage, data, split, keep=False)
            except MattingError as error:
                complaints.setdefault(str(error), error)
    if complaints:
        raise type(next(iter(complaints.values())))("\n".join(complaints))


def _begin(
    plan: Plan, stage: Stage, data: Path, out: Path,
    start: str | Path | None, encoder: str | Path | None,
) -> tuple[MattingNetwork, str]:  # fmt: skip
    """The network that a stage begins with, and in words where it comes from."""
    place = plan.stages.index(stage)
    if read_checkpoint(out / stage.name) is not None:
        return plan.network(), "its checkpoint"  # which overwrites all of it
    if start is not None:
        folder = Path(start)
        network = load_run(folder, plan) if folder.is_dir() else load_network(start)
        fresh = plan.network()
        try:
            fresh.load_state_dict(network.state_dict())
        except RuntimeError as error:
            raise TrainingError(
                f"{start} is not of the plan's network, {plan.architecture}: give another --start"
            ) from error
        return fresh, folder.name
    if place:
        before = plan.stages[place - 1].name
        return load_run(out / before, plan), before
    file = Path(encoder) if encoder else data / plan.encoder if plan.encoder else None
    network = plan.network()
    if file is None or str(encoder) == RANDOM:
        return network, "random"
    start_encoder(network, file)
    return network, encoder_checksum(file)

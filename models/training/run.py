"""A plan's stages in order, each from the one before, able to stop and go on."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any, Final

import torch
from tqdm import tqdm

from models.errors import MattingError
from models.evaluation.recipes import RECIPES as VIEWS
from models.evaluation.sets import StillSet
from models.evaluation.validation import examine
from models.network import MattingNetwork
from models.scenes.material import open_backgrounds, open_foregrounds
from models.scenes.sample import Batch, stack
from models.scenes.splits import Split
from models.training.batches import Batches, load, open_material
from models.training.beginning import begin, load_run
from models.training.checkpoint import Checkpoint, check_unchanged, read_checkpoint
from models.training.distributed import Team, join_team
from models.training.errors import TrainingError
from models.training.journal import Journal
from models.training.plan import RANDOM, Plan
from models.training.record import make_record
from models.training.sheet import contact_rows
from models.training.stage import Stage
from models.training.trainer import Trainer
from models.training.waiting import Waiting

logger = logging.getLogger(__name__)

LOOK: Final = 10
"""Steps between two looks at the loss, which an accelerator has to be waited for."""

SPLITS: Final[tuple[Split, ...]] = ("train", "validation")
"""What a stage needs: to train on, and to be examined on."""

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
        start: a card, a file of weights or a stage's folder that the first stage begins with;
            those after it never do.
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

    if encoder is not None:
        plan = plan.starting_from(encoder)
    if start is not None:  # then the card must not name the plan's encoder
        plan = plan.starting_from(RANDOM)
    stages = plan.stages if stage is None else (plan.stage(stage),)
    todo = [each for each in stages if not _is_finished(each, out / each.name)]
    _check_material(plan, todo, data)
    with join_team(device) as team:
        torch.manual_seed(seed)
        if todo:
            # Made at once, so that what is missing for the first step is told before any.
            given = start if todo[0] is stages[0] else None
            network, begun = begin(plan, todo[0], data, out, given)
        for index, each in enumerate(todo):
            if index:
                network, begun = load_run(out / todo[index - 1].name, plan), todo[index - 1].name
            run = _Run(plan, each, data, out / each.name, team, seed, workers, begun)
            if not run.train(network, ended):
                return run.folder
    return out / stages[-1].name


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
        self._scenes: list[Batch] = []

    def train(self, network: MattingNetwork, ended: Callable[[], bool]) -> bool:
        """From the last checkpoint to the end; false if stopped before."""
        trainer = Trainer(self.stage, network, self.team, self.seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        before = read_checkpoint(self.folder)
        start = before.step if before else 0
        if before:
            self._check_seed(before)
            check_unchanged(self.stage, before)
            trainer.resume(before)
            logger.info("stage %s goes on from step %d", self.stage.name, start)
        record = self._record(trainer, before)
        if self.team.leads:
            logger.info(
                "stage %s: %d steps of %d samples on %s, examined every %d",
                self.stage.name, self.stage.steps - start, self.stage.batch,
                trainer.device, self.stage.examine_every,
            )  # fmt: skip
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
            unit="step", disable=not self.team.leads,
            # In a log file a line a minute tells enough.
            mininterval=0.5 if sys.stderr.isatty() else 60,
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
            stopped = done < last and self.team.agree(ended())
            if examined or stopped:
                mean = self.team.mean(torch.stack(losses).mean())
                if not isfinite(mean):  # for all processes alike: none waits for another
                    raise TrainingError(
                        f"the loss of stage {self.stage.name} is no number any more before step "
                        f"{done}; the checkpoint before is kept: lower the plan's rates, or set "
                        'precision = "fp32"'
                    )
            if (examined or stopped) and self.team.leads:
                # Before the examination, which may take minutes and be broken off.
                record["seconds"] = round(spent + time.monotonic() - began, 1)
                trainer.checkpoint(done, record).write(self.folder)
            if examined and journal:
                scores = self._examine(trainer, journal, done)
                rate = self.stage.share(number)
                journal.write(
                    done,
                    {"loss": mean, "seconds": seconds, "waited": waited, "rate": rate, **scores},
                )
                told = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
                logger.info("step %d: loss %.4f, %s", done, mean, told)
            if examined:
                losses.clear()
                waiting.reset()
            if stopped:
                logger.info("stage %s stopped after step %d", self.stage.name, done)
                return False
        self.team.wait()
        return True

    def _check_seed(self, before: Checkpoint) -> None:
        """Another seed would go on with other scenes, and its card would name the first."""
        began = before.record.get("seed", self.seed + self.stage.seed) - self.stage.seed
        if began != self.seed:
            raise TrainingError(
                f"stage {self.stage.name} began with --seed {began}, not {self.seed}: give that, "
                "or another --out"
            )

    def _examine(self, trainer: Trainer, journal: Journal, step: int) -> dict[str, float]:
        network = trainer.averaged
        # Made when first wanted: a short chunk of a run may never come here.
        scenes = self._scenes = self._scenes or examination_scenes(self.plan, self.stage, self.data)
        if self.stage.kind == "base":  # the refiner knows nothing yet
            network = network.with_settings(refine_pixels=0)
        journal.show(step, contact_rows(network, scenes[:SHOWN]))
        return asdict(examine(network, scenes))

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
    if checkpoint is None:
        return False
    check_unchanged(stage, checkpoint)
    # The plan counts, which may have been shortened or lengthened since.
    return checkpoint.step >= stage.steps if stage.steps else checkpoint.finished


def _check_material(plan: Plan, stages: Sequence[Stage], data: Path) -> None:
    """Raises what is missing for any of the stages, before the first of them trains."""
    users: dict[str, list[str]] = {}
    for stage in stages:
        for name in (*stage.foregrounds, *stage.backgrounds):
            users.setdefault(name, []).append(stage.name)
    rooms = {name for stage in stages for name in stage.backgrounds}
    complaints: list[MattingError] = []
    for name, wanted in users.items():
        opener = open_backgrounds if name in rooms else open_foregrounds
        try:
            for split in SPLITS:
                opener(plan.material[name].material, data, split)
        except MattingError as error:
            complaints.append(type(error)(f"for stage {', '.join(wanted)}: {error}"))
    if complaints:
        raise type(complaints[0])("\n".join(str(error) for error in complaints))

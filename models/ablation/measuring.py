"""From contenders to the rows of a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from models.ablation.table import Facts, Row
from models.ablation.variants import Variant
from models.device import Device
from models.evaluation.contender import WeightsContender
from models.evaluation.entries import open_weights
from models.evaluation.examination import amount, examine_set
from models.evaluation.recipes import Recipe
from models.evaluation.sets import StillSet
from models.training.errors import TrainingError
from models.training.plan import Plan
from models.training.run import progress, train

PATCH = 16
"""Pixels of a patch: 4x4."""

EXAMINED = 2
"""Scenes that a training looks at while it goes on: the ablation examines what comes out of it."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """What every contender of an ablation is measured on."""

    stills: StillSet
    recipe: Recipe
    scenes: int
    clips: int
    device: Device

    def measure(
        self,
        contenders: Sequence[WeightsContender],
        facts: Sequence[Facts],
    ) -> list[Row]:
        """One row for each contender, by its name, with the milliseconds that a frame took it.

        Raises:
            MaterialMissing: the set is not there.
        """
        empty = np.zeros((*self.stills.size, 3), np.float32)
        for contender in contenders:
            contender.matte(empty, empty)  # the first frame pays for what is made once
        total = amount(len(contenders), 1, 1, self.scenes, self.clips, 0)
        with tqdm(total=total, desc="examine", unit="frame") as bar:
            [result] = examine_set(
                contenders, self.stills, [self.recipe], self.scenes, self.clips, bar
            )
        rows = []
        for contender, own in zip(contenders, facts, strict=True):
            tally = result.tallies[contender.name]
            cost = {"ms": round(1000 * tally.seconds / self.scenes, 1)}
            rows.append(Row(contender.name, {**own, **cost}, tally.means))
        return rows

    def open(self, word: str, base_scale: float | None) -> WeightsContender:
        """Weights, a checkpoint or a stage's folder, as `cleanplate evaluate` opens them."""
        [opened] = open_weights([word], self.device, self.stills.size, base_scale=base_scale)
        assert isinstance(opened, WeightsContender)
        return opened


def measure_pixels(
    ruler: Ruler, weights: Sequence[str], patches: Sequence[int], base_scale: float | None
) -> list[Row]:
    """The same weights with so many patches refined, and with all of them (table 7).

    Args:
        ruler: what they are measured on.
        weights: as `cleanplate evaluate --weights` takes them.
        patches: numbers of 4x4 patches; 0 leaves the base network's answer, enlarged.
        base_scale: side of the base network's input; that of a processor if None.

    Raises:
        WeightsError: there are no such weights, or they are damaged.
    """
    height, width = ruler.stills.size
    whole = -(-height // 4) * -(-width // 4)
    contenders: list[WeightsContender] = []
    facts: list[Facts] = []
    for word in weights:
        opened = ruler.open(word, base_scale)
        for count in [*(n for n in patches if n < whole), whole]:
            network = opened.network.with_settings(
                refine_mode="full" if count == whole else "sampling", refine_pixels=count * PATCH
            )
            label = "full" if count == whole else str(count)
            contenders.append(WeightsContender(network, f"{opened.name} {label}"))
            facts.append({"patches": count, "at most": f"{count / whole:.1%}"})
    return ruler.measure(contenders, facts)


def measure_variants(
    ruler: Ruler,
    variants: Sequence[Variant],
    data: Path,
    out: Path,
    *,
    seed: int,
    workers: int,
    limit_minutes: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Row]:
    """Every variant trained, unless it is already, and measured.

    Args:
        ruler: what they are measured on.
        variants: each in its own folder below `out`, where a training that was stopped goes on.
        data: the folder of the material.
        out: the runs' folder.
        seed: the same for all.
        workers: processes that make samples.
        limit_minutes: end with a checkpoint after so much training.
        stop: asked after every step; true is as good as the limit.

    Raises:
        TrainingError: it was stopped before all were trained, or a plan or a run is unfit.
        MaterialMissing, MaterialUnfit, WeightsError: says what to do.
    """
    deadline = None if limit_minutes is None else time.monotonic() + 60 * limit_minutes

    def ended() -> bool:
        return stop() or (deadline is not None and time.monotonic() >= deadline)

    contenders: list[WeightsContender] = []
    facts: list[Facts] = []
    for variant in tqdm(variants, desc="variants", unit="variant"):
        plan = _examined_less(variant.plan, ruler.stills.size)
        run = out / variant.name
        folder = train(
            plan, data, run, seed=seed, workers=workers, device=str(ruler.device), stop=ended
        )
        done, of = progress(plan, run)[folder.name]
        if folder.name != plan.stages[-1].name or done < of:
            raise TrainingError(
                f"stopped in {variant.name} at step {done} of {of} of its stage {folder.name}, so "
                "there is no table yet; the same command goes on from there"
            )
        opened = ruler.open(str(folder), plan.examination.base_scale)
        opened.name = variant.name
        contenders.append(opened)
        parameters = sum(p.numel() for p in opened.network.parameters())
        facts.append(
            {
                "encoder": variant.start,
                "steps": _steps(plan),
                "parameters": parameters,
            }
        )
    return ruler.measure(contenders, facts)


def _examined_less(plan: Plan, size: tuple[int, int]) -> Plan:
    height, width = size
    scenes = min(plan.examination.scenes, EXAMINED)
    examination = replace(plan.examination, height=height, width=width, scenes=scenes)
    return replace(plan, examination=examination)


def _steps(plan: Plan) -> str:
    return "+".join(
        str(stage.steps) if stage.steps else f"{stage.epochs} epochs" for stage in plan.stages
    )

"""One stage of training, from step to step, able to stop and go on."""

from __future__ import annotations

import csv
import logging
import random
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Subset
from tqdm import tqdm

from models.network import MattingNetwork
from models.scenes.degradation import Batch
from models.training.batches import Batches
from models.training.losses import base_loss, joint_loss

logger = logging.getLogger(__name__)

Examine = Callable[[MattingNetwork], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage does. Rates are the paper's; the cosine at the end is ours, because with
    thousands of steps instead of hundreds of thousands the last ones have to settle. What it is
    worth was not measured."""

    kind: Literal["base", "joint"]
    steps: int
    batch: int
    heights: tuple[int, int]
    widths: tuple[int, int]
    backbone_rate: float
    aspp_rate: float
    decoder_rate: float
    refiner_rate: float
    base_scales: tuple[float, ...] = (0.5,)
    """Joint stage only: every step draws one, so that one set of weights serves them all."""
    refine_pixels: int = 16_000
    """Joint stage only."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Windows of frames up to this much larger (`Recipe.zoom`)."""
    warmup: int = 100
    examine_every: int = 250
    average: float = 0.998
    """Decay of the exponential moving average of the parameters, which is what is kept."""


def base_stage(steps: int) -> Stage:
    """The base network on frames of its own input size."""
    return Stage("base", steps, 8, (128, 208), (208, 320), 1e-4, 5e-4, 5e-4, 0.0)


def joint_stage(steps: int) -> Stage:
    """Both networks on whole frames around 512x288."""
    return Stage("joint", steps, 6, (256, 336), (384, 560), 5e-5, 5e-5, 1e-4, 3e-4)


def window_stage(steps: int) -> Stage:
    """Both networks on windows of frames up to 1280x720, at the base scales that serve them."""
    return Stage(
        "joint", steps, 4, (320, 432), (448, 608), 1e-4, 2e-4, 3e-4, 1e-3,
        base_scales=(0.25, 0.375, 0.5), refine_pixels=24_000, zoom=(1.0, 2.0), average=0.999,
    )  # fmt: skip


def run(
    stage: Stage,
    network: MattingNetwork,
    batches: Batches,
    examine: Examine,
    folder: Path,
    *,
    device: torch.device,
    workers: int = 1,
) -> MattingNetwork:
    """Train `network` and return its moving average.

    Writes `folder/checkpoint.pt` at every examination and goes on from it if it is there;
    `folder/log.csv` gets a line per examination.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    network = network.with_settings(
        base_scale=stage.base_scales[0],
        refine_pixels=stage.refine_pixels,
        # Patches without error still teach the refiner what to leave alone.
        prevent_oversampling=False,
    )
    averaged = deepcopy(network)
    optimiser = _optimiser(stage, network)
    start = _resume(folder, network, averaged, optimiser)
    losses: list[float] = []
    began = time.monotonic()
    progress = tqdm(
        _loader(batches, start, workers), initial=start, total=stage.steps, desc=stage.kind
    )
    for step, batch in enumerate(progress, start):
        share = _rate(step, stage)
        for group in optimiser.param_groups:
            group["lr"] = group["initial"] * share
        # From the number of the step alone, so that a pause changes nothing.
        draw = random.Random(step).choice(stage.base_scales)
        loss = _loss(stage, network.with_settings(base_scale=draw), _move(batch, device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        _average(averaged, network, min(stage.average, (step + 1) / (step + 10)))
        losses.append(loss.item())
        progress.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
        if (step + 1) % stage.examine_every == 0 or step + 1 == stage.steps:
            scores = examine(averaged)
            mean = sum(losses) / len(losses)
            seconds = (time.monotonic() - began) / (step + 1 - start)
            _log(folder, {"step": step + 1, "loss": mean, "seconds": seconds, **scores})
            logger.info("step %d: loss %.4f, %.2f s a step, %s", step + 1, mean, seconds, scores)
            losses.clear()
            _save(folder, step + 1, stage, network, averaged, optimiser)
    return averaged


def _optimiser(stage: Stage, network: MattingNetwork) -> torch.optim.Adam:
    groups = [
        {"params": list(module.parameters()), "lr": rate, "initial": rate}
        for module, rate in (
            (network.backbone, stage.backbone_rate),
            (network.aspp, stage.aspp_rate),
            (network.decoder, stage.decoder_rate),
            (network.refiner, stage.refiner_rate),
        )
        if rate
    ]
    return torch.optim.Adam(groups)


def _loader(batches: Batches, start: int, workers: int) -> Iterator[Batch]:
    rest = Subset(batches, range(start, len(batches)))
    return iter(
        DataLoader(
            rest,
            batch_size=None,
            num_workers=workers,
            prefetch_factor=3 if workers else None,
            # Its own, so that making a loader does not move the state dropout draws from.
            generator=torch.Generator(),
        )
    )


def _move(batch: Batch, device: torch.device) -> Batch:
    def to(x: Tensor) -> Tensor:
        return x.to(device, memory_format=torch.channels_last, non_blocking=True)

    return Batch(to(batch.source), to(batch.plate), to(batch.alpha), to(batch.foreground))


def _loss(stage: Stage, network: MattingNetwork, batch: Batch) -> Tensor:
    # bf16 has the range of fp32, so no gradient scaling; losses are computed in fp32.
    with torch.autocast(batch.source.device.type, torch.bfloat16):
        if stage.kind == "base":
            output = network.base_stage(batch.source, batch.plate)
        else:
            matte = network(batch.source, batch.plate)
    if stage.kind == "base":
        coarse = network.read_base(output.float())
        return base_loss(coarse, batch.source, batch.alpha, batch.foreground)
    fields = (field if field.dtype == torch.bool else field.float() for field in matte)
    return joint_loss(type(matte)(*fields), batch.alpha, batch.foreground)


def _rate(step: int, stage: Stage) -> float:
    """Share of the full learning rate: a short rise, then a cosine to 2 %."""
    rise = min((step + 1) / stage.warmup, 1.0)
    return rise * (0.02 + 0.98 * 0.5 * (1 + cos(pi * step / stage.steps)))


@torch.no_grad()
def _average(averaged: MattingNetwork, network: MattingNetwork, decay: float) -> None:
    for kept, new in zip(
        averaged.state_dict().values(), network.state_dict().values(), strict=True
    ):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


def _save(
    folder: Path,
    step: int,
    stage: Stage,
    network: MattingNetwork,
    averaged: MattingNetwork,
    optimiser: torch.optim.Adam,
) -> None:
    state = {
        "step": step,
        "stage": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(stage).items()},
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "random": torch.get_rng_state(),  # of the dropout, so that a pause changes nothing
    }
    # Written beside and renamed: a stop in the middle leaves the old checkpoint whole.
    fresh = folder / "checkpoint.new"
    torch.save(state, fresh)
    fresh.replace(folder / "checkpoint.pt")


def _resume(
    folder: Path, network: MattingNetwork, averaged: MattingNetwork, optimiser: torch.optim.Adam
) -> int:
    file = folder / "checkpoint.pt"
    if not file.exists():
        return 0
    state = torch.load(file, map_location="cpu", weights_only=True)
    network.load_state_dict(state["network"])
    averaged.load_state_dict(state["averaged"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["random"])
    logger.info("going on from step %d of %s", state["step"], file)
    return int(state["step"])


def _log(folder: Path, row: dict[str, float]) -> None:
    file = folder / "log.csv"
    fresh = not file.exists()
    with file.open("a", newline="") as out:
        writer = csv.DictWriter(out, row.keys())
        if fresh:
            writer.writeheader()
        writer.writerow(row)

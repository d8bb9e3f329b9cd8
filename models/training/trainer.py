"""A network under training: one step after the other, and what must be kept between them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import get_ema_multi_avg_fn

from models.device import Device
from models.network import Matte, MattingNetwork
from models.scenes.sample import Batch
from models.training.checkpoint import Checkpoint
from models.training.distributed import Team, synchronise_norms
from models.training.errors import TrainingError
from models.training.losses import base_loss, joint_loss
from models.training.stage import Stage

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


class Lesson(nn.Module):
    """Network and loss as one module, which is what several processes can share the work of."""

    def __init__(self, network: MattingNetwork, stage: Stage, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.stage, self.dtype = network, stage, dtype

    def forward(
        self, source: Tensor, plate: Tensor, alpha: Tensor, foreground: Tensor, base_scale: float
    ) -> Tensor:
        """The loss of one batch: (N, 3, H, W) twice, (N, 1, H, W), (N, 3, H, W), all 0..1.

        The network computes in the stage's precision, losses in fp32.
        """
        mixed = self.dtype != torch.float32
        with torch.autocast(source.device.type, self.dtype, enabled=mixed):
            if self.stage.kind == "base":
                output = self.network.base_stage(source, plate)
            else:
                matte = self.network.with_settings(base_scale=base_scale)(source, plate)
        if self.stage.kind == "base":
            return base_loss(self.network.read_base(output.float()), source, alpha, foreground)
        fields = (field if field.dtype == torch.bool else field.float() for field in matte)
        return joint_loss(Matte(*fields), alpha, foreground)


class Trainer:
    """Trains one network through one stage.

    Args:
        stage: with the number of its steps known, see `Batches`.
        network: changed in place.
        team: this process and the device.
        seed: of the run. What chance decides in a step follows from it and the step's number
            alone, so that a pause changes nothing.
    """

    def __init__(self, stage: Stage, network: MattingNetwork, team: Team, seed: int = 0) -> None:
        self.stage, self.team, self.seed = stage, team, seed + stage.seed
        self.device = team.device.torch_device
        self.precision = precision_of(stage, team.device)
        self.network = network.with_settings(
            refine_mode="sampling",
            refine_pixels=stage.refine_pixels,
            # Patches without error still teach the refiner what to leave alone.
            prevent_oversampling=False,
        )
        # torch's annotation of Module.to lacks the layout.
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = deepcopy(network).eval().requires_grad_(False)
        synchronise_norms(self.network, team)
        self.network.train()
        for name, rate in stage.rates.items():
            getattr(self.network, name).requires_grad_(rate > 0).train(rate > 0)
        lesson = Lesson(self.network, stage, PRECISIONS[self.precision])
        self._lesson: nn.Module = (
            lesson
            if team.size == 1
            # Statistics of the norms are the same everywhere already.
            else DistributedDataParallel(lesson, broadcast_buffers=False)
        )
        self.optimiser = torch.optim.Adam(
            [
                {"params": list(getattr(self.network, name).parameters()), "lr": 0, "initial": rate}
                for name, rate in stage.rates.items()
                if rate
            ]
        )
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision == "fp16")

    def step(self, number: int, batch: Batch) -> Tensor:
        """Learn from one batch; the loss, which may still be computing."""
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial"] * self.stage.share(number)
        draw = random.Random(number).choice(self.stage.base_scales)
        key = np.random.SeedSequence((self.seed, number, self.team.rank)).generate_state(1)
        torch.manual_seed(int(key[0]))  # what dropout draws from
        loss: Tensor = self._lesson(
            batch.source, batch.plate, batch.alpha, batch.foreground, base_scale=draw
        )
        self.optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        if self.stage.clip:
            self._scaler.unscale_(self.optimiser)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.stage.clip)
        self._scaler.step(self.optimiser)
        self._scaler.update()
        self._average(min(self.stage.average, (number + 1) / (number + 10)))
        return loss.detach()

    def move(self, batch: Batch) -> Batch:
        """To the device, while it may still be busy with the step before."""

        def to(x: Tensor) -> Tensor:
            return x.to(self.device, memory_format=torch.channels_last, non_blocking=True)

        return Batch(to(batch.source), to(batch.plate), to(batch.alpha), to(batch.foreground))

    def checkpoint(self, step: int, record: Mapping[str, Any]) -> Checkpoint:
        """After `step` steps."""
        stage = asdict(self.stage)
        return Checkpoint(
            step=step,
            stage={k: list(v) if isinstance(v, tuple) else v for k, v in stage.items()},
            network=self.network.state_dict(),
            averaged=self.averaged.state_dict(),
            optimiser=self.optimiser.state_dict(),
            scaler=self._scaler.state_dict(),
            record=record,
        )

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from where a trainer of the same stage was.

        Raises:
            TrainingError: it was another network, or trained other parts of it.
        """
        try:
            self.network.load_state_dict(checkpoint.network)
            self.averaged.load_state_dict(checkpoint.averaged)
            self.optimiser.load_state_dict(dict(checkpoint.optimiser))
        except (RuntimeError, ValueError) as error:
            raise TrainingError(
                f"the checkpoint of stage {self.stage.name!r} is of another network or another "
                f"kind of stage ({str(error).splitlines()[0]}): give another --out"
            ) from error
        for group, rate in zip(
            self.optimiser.param_groups, (r for r in self.stage.rates.values() if r), strict=True
        ):
            group["initial"] = rate
        if checkpoint.scaler:
            self._scaler.load_state_dict(dict(checkpoint.scaler))

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        mine, theirs = self.averaged.state_dict(), self.network.state_dict()
        pairs = [(mine[name], theirs[name]) for name in mine]
        floating = [pair for pair in pairs if pair[0].is_floating_point()]
        kept, new = ([pair[side] for pair in floating] for side in (0, 1))
        get_ema_multi_avg_fn(decay)(kept, new, None)
        for counter, current in pairs:  # of the norms
            if not counter.is_floating_point():
                counter.copy_(current)


def precision_of(stage: Stage, device: Device) -> str:
    """Key of `PRECISIONS`: the stage's own, or the fastest that `device` can train in."""
    if stage.precision != "auto":
        return stage.precision
    if device.has_bf16:
        return "bf16"
    return "fp32" if device.kind == "cpu" else "fp16"

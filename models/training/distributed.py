"""Several processes that train one network, each on its share of every batch (torchrun)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.device import Device, choose_device
from models.network import MattingNetwork
from models.training.errors import TrainingError

PATIENCE: Final = timedelta(hours=1)
"""How long the others wait while the first process examines."""


@dataclass(frozen=True, slots=True)
class Team:
    """Who this process is among those that train together."""

    device: Device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process examines and writes."""
        return self.rank == 0

    def share(self, batch: int) -> range:
        """Which samples of a batch are this process's.

        Raises:
            TrainingError: the batch does not divide.
        """
        if batch % self.size:
            raise TrainingError(
                f"a batch of {batch} does not divide among {self.size} processes: start another "
                "number of them, or change the batch in the plan"
            )
        each = batch // self.size
        return range(self.rank * each, (self.rank + 1) * each)

    def agree(self, answer: bool) -> bool:
        """The first process's answer, for all."""
        if self.size == 1:
            return answer
        told = torch.tensor([int(answer)], device=self.device.torch_device)
        dist.broadcast(told, 0)
        return bool(told.item())

    def mean(self, value: Tensor) -> float:
        """Of all processes' values: of a loss, that of the whole batch."""
        if self.size > 1:
            value = value.clone()
            dist.all_reduce(value)
        return float(value) / self.size

    def wait(self) -> None:
        """For all the others."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def join_team(wanted: str) -> Iterator[Team]:
    """The team of this process: alone, or as torchrun's environment says.

    Args:
        wanted: device, as in `choose_device`; of several accelerators each process takes one.
    """
    device = choose_device(wanted)
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Team(device)
        return
    if device.kind != "cpu":
        device = choose_device(f"{device.kind}:{os.environ.get('LOCAL_RANK', '0')}")
        torch.accelerator.set_device_index(device.index)
    dist.init_process_group(
        dist.get_default_backend_for_device(device.torch_device), timeout=PATIENCE
    )
    try:
        yield Team(device, dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


def synchronise_norms(network: MattingNetwork, team: Team) -> None:
    """Let every batch norm see the whole batch, not this process's share (paper section 4).

    Parameters and their names stay; a team of one changes nothing.
    """
    if team.size == 1:
        return
    if team.device.kind != "cpu":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, SharedBatchNorm.of(child, team.size))


class SharedBatchNorm(nn.BatchNorm2d):
    """What `torch.nn.SyncBatchNorm` does, which refuses to do it on a processor."""

    team_size: int

    @classmethod
    def of(cls, norm: nn.BatchNorm2d, team_size: int) -> SharedBatchNorm:
        """With the very parameters and statistics of `norm`."""
        shared = cls(norm.num_features, norm.eps, norm.momentum)
        shared.weight, shared.bias = norm.weight, norm.bias
        shared.running_mean, shared.running_var = norm.running_mean, norm.running_var
        shared.num_batches_tracked = norm.num_batches_tracked
        shared.team_size = team_size
        return shared.train(norm.training)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to the same; every process holds an equal share of the batch."""
        if not self.training:
            return super().forward(input)
        x = input.to(self.weight.dtype)  # out of autocast
        count = x.numel() // x.shape[1] * self.team_size
        mean = _summed(x.sum((0, 2, 3))) / count
        centred = x - mean.view(1, -1, 1, 1)
        variance = _summed(centred.square().sum((0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)).to(input.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def _summed(x: Tensor) -> Tensor:
    summed: Tensor = _SumOverTeam.apply(x)  # type: ignore[no-untyped-call]  # a class of ours
    return summed


class _SumOverTeam(torch.autograd.Function):
    """The sum over all processes, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total

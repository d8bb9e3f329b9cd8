"""One step of training, alone or as one of a team: what torchrun starts in the tests.

python -m torch.distributed.run --nproc-per-node 2 tests/models/team_step.py base|joint FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from models.network import MattingNetwork
from models.scenes.sample import Batch
from models.training.distributed import Team, join_team
from models.training.trainer import Trainer
from tests.models.small_plan import small_plan


def step(kind: str, team: Team) -> dict[str, Tensor]:
    """Gradients and statistics after one step over four samples, in fp64.

    In fp32 rounding alone, which norms over four pooled values magnify, makes up a percent.
    """
    torch.manual_seed(3)
    network = MattingNetwork().double()
    # What it drops differs from process to process, as it should.
    network.aspp.project[3] = nn.Identity()
    assert network.decoder.conv4.bias is not None
    with torch.no_grad():
        network.decoder.conv4.bias[0] = network.decoder.conv4.bias[4] = 0.5
    plan = small_plan(batch=4, precision="fp32", clip=0.0)
    trainer = Trainer(plan.stage(kind), network, team)
    whole = [torch.rand(4, channels, 64, 64, dtype=torch.float64) for channels in (3, 3, 1, 3)]
    mine = team.share(4)
    loss = trainer.step(0, Batch(*(x[mine.start : mine.stop] for x in whole)))
    found = {n: p.grad for n, p in trainer.network.named_parameters() if p.grad is not None}
    buffers = {n: b for n, b in trainer.network.named_buffers() if b.is_floating_point()}
    return {**found, **buffers, "loss": torch.tensor(team.mean(loss), dtype=torch.float64)}


if __name__ == "__main__":
    with join_team("cpu") as team:
        result = step(sys.argv[1], team)
        if team.leads:
            torch.save({name: value.clone() for name, value in result.items()}, Path(sys.argv[2]))

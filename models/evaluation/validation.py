"""What a training looks at while it goes on: its network's errors on a few held-back scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from models.evaluation import metrics
from models.network import MattingNetwork
from models.scenes.sample import Batch


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the scenes, unscaled."""

    mad: float
    mse: float
    grad: float
    """Gradient error, thousands."""
    scenes: int


@torch.inference_mode()
def examine(network: MattingNetwork, scenes: Sequence[Batch]) -> Scores:
    """Score `network`, which is put into eval mode, on `scenes`, batches of one."""
    network.eval()
    device = next(network.parameters()).device
    rows = []
    for scene in scenes:
        matte = network(scene.source.to(device), scene.plate.to(device))
        alpha = matte.alpha[0, 0].float().cpu().numpy()
        truth = scene.alpha[0, 0].numpy()
        rows.append(
            (
                metrics.mad(alpha, truth),
                metrics.mse(alpha, truth),
                metrics.gradient_error(alpha, truth) / 1000,
            )
        )
    mad, mse, grad = np.asarray(rows).mean(0)
    return Scores(float(mad), float(mse), float(grad), len(rows))

"""Results to look at: numbers do not show whether hair and glasses are right."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.network import MattingNetwork
from models.scenes.degradation import Batch

_GREEN = torch.tensor([0, 177, 64]).view(1, 3, 1, 1) / 255


@torch.inference_mode()
def contact_sheet(
    network: MattingNetwork, scenes: Sequence[Batch], width: int = 384
) -> NDArray[np.uint8]:
    """One row a scene: source, plate, truth, alpha, error map, composite on green; RGB uint8."""
    network.eval()
    rows = []
    for scene in scenes:
        matte = network(scene.source, scene.plate)
        composite = matte.alpha * matte.foreground + (1 - matte.alpha) * _GREEN
        cells = (
            scene.source, scene.plate, scene.alpha, matte.alpha, matte.coarse_error, composite,
        )  # fmt: skip
        height = round(width * scene.source.shape[2] / scene.source.shape[3])
        rows.append(np.concatenate([_cell(cell, height, width) for cell in cells], 1))
    return np.concatenate(rows)


def _cell(image: Tensor, height: int, width: int) -> NDArray[np.uint8]:
    pixels = (image[0].expand(3, -1, -1).permute(1, 2, 0) * 255).round().byte().numpy()
    return np.asarray(
        cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )

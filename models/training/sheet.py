"""Results to look at: numbers do not show whether hair and glasses are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.network import MattingNetwork
from models.scenes.sample import Batch

COLUMNS: Final = (
    "source", "plate", "true alpha", "alpha", "error map", "refined", "composite on green",
)  # fmt: skip
"""What `contact_rows` shows, from left to right."""

_GREEN = torch.tensor([0, 177, 64]).view(1, 3, 1, 1) / 255


@torch.inference_mode()
def contact_rows(
    network: MattingNetwork, scenes: Sequence[Batch], width: int = 320
) -> list[NDArray[np.uint8]]:
    """One row of `COLUMNS` a scene, each cell `width` wide; RGB uint8.

    Args:
        network: is put into eval mode.
        scenes: batches of one.
        width: of a cell, in pixels.
    """
    network.eval()
    device = next(network.parameters()).device
    rows = []
    for scene in scenes:
        matte = network(scene.source.to(device), scene.plate.to(device))
        alpha, foreground = matte.alpha.float().cpu(), matte.foreground.float().cpu()
        composite = alpha * foreground + (1 - alpha) * _GREEN
        size = (scene.source.shape[2], scene.source.shape[3])
        refined = functional.interpolate(matte.refined.float(), size, mode="nearest")
        cells = (
            scene.source, scene.plate, scene.alpha, alpha, matte.coarse_error.float().cpu(),
            refined.cpu(), composite,
        )  # fmt: skip
        height = round(width * size[0] / size[1])
        rows.append(np.concatenate([_cell(cell, height, width) for cell in cells], 1))
    return rows


def _cell(image: Tensor, height: int, width: int) -> NDArray[np.uint8]:
    pixels = (image[0].expand(3, -1, -1).permute(1, 2, 0) * 255).round().byte().numpy()
    return np.asarray(
        cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )

"""Start from an encoder that knows the world: ImageNet weights widened to source and plate."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from models.network import MattingNetwork

_DEVIATION = (0.229, 0.224, 0.225)
_FIRST = "features.0.0.weight"


def start_from_imagenet(network: MattingNetwork, file: Path) -> None:
    """Copy a MobileNetV2 encoder (torchvision's naming, safetensors) into `network`.

    The encoder expects normalised RGB, the matting network gets 0..1: the deviation is folded into
    the first convolution, the mean is left to its batch norm. The plate's half of that convolution
    is zero in even channels, which see the source alone, and negated in odd ones, which see the
    difference of source and plate from the first step.

    Raises:
        ValueError: the file holds another encoder.
    """
    state = load_file(file)
    first = state[_FIRST] / torch.tensor(_DEVIATION).view(1, 3, 1, 1)
    plate = torch.zeros_like(first)
    plate[1::2] = -first[1::2]
    state[_FIRST] = torch.cat([first, plate], 1)
    missing, unexpected = network.backbone.load_state_dict(state, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(
            f"{file} is not a MobileNetV2 encoder: missing {missing[:3]}, "
            f"unexpected {unexpected[:3]}"
        )

"""Parameters that follow from their names, as the golden outputs were computed with."""

import zlib

import numpy as np
import torch

from models.network import MattingNetwork


def published_parameters(network: MattingNetwork) -> dict[str, torch.Tensor]:
    """A state_dict for `network`, by the recipe in tests/data/golden/README.md."""
    return {key: _parameter(key, value) for key, value in network.state_dict().items()}


def _parameter(key: str, like: torch.Tensor) -> torch.Tensor:
    rng = np.random.RandomState(zlib.crc32(key.encode()))
    shape = tuple(like.shape)
    if key.endswith("num_batches_tracked"):
        value = np.zeros(shape)
    elif key.endswith("running_mean"):
        value = 0.1 * rng.randn(*shape)
    elif key.endswith("running_var"):
        value = rng.uniform(0.5, 1.5, shape)
    elif len(shape) == 4:
        value = rng.randn(*shape) * np.sqrt(2 / np.prod(shape[1:]))
        if key in ("decoder.conv4.weight", "refiner.conv4.weight"):
            value *= 0.5
    elif key.endswith(".weight"):
        value = rng.uniform(0.3, 0.9, shape)
    else:
        value = 0.1 * rng.randn(*shape)
        if key == "decoder.conv4.bias":
            value[:5] = [0.5, 0, 0, 0, 0.3]
        if key == "refiner.conv4.bias":
            value[:] = [0.5, 0, 0, 0]
    return torch.tensor(value).to(like.dtype)

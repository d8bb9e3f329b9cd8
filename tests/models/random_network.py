"""A network without training, for tests of what is around it."""

from __future__ import annotations

from typing import Literal

import torch

from models.network import MattingConfig, MattingNetwork


def make_network(refine_kernel: Literal[1, 3] = 3) -> MattingNetwork:
    """Random weights whose alpha and error are not all saturated."""
    torch.manual_seed(5)
    network = MattingNetwork(MattingConfig(refine_kernel=refine_kernel)).eval()
    assert network.decoder.conv4.bias is not None
    with torch.no_grad():
        network.decoder.conv4.bias[0] = 0.5
        network.decoder.conv4.bias[4] = 0.5
    return network

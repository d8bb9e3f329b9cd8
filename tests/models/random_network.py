"""A network without training, for tests of what is around it."""

from __future__ import annotations

import torch

from models.network import MattingNetwork


def make_network() -> MattingNetwork:
    """Random weights whose alpha and error are not all saturated."""
    torch.manual_seed(5)
    network = MattingNetwork().eval()
    assert network.decoder.conv4.bias is not None
    with torch.no_grad():
        network.decoder.conv4.bias[0] = 0.5
        network.decoder.conv4.bias[4] = 0.5
    return network

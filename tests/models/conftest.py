"""A network without training, and frames to feed it."""

from __future__ import annotations

import pytest
import torch

from models.network import MattingNetwork


def make_network() -> MattingNetwork:
    """Random weights whose alpha and error are not all saturated."""
    torch.manual_seed(5)
    network = MattingNetwork().eval()
    with torch.no_grad():
        network.decoder.conv4.bias[0] = 0.5
        network.decoder.conv4.bias[4] = 0.5
    return network


@pytest.fixture(scope="session")
def network() -> MattingNetwork:
    """Shared: it keeps no state."""
    return make_network()

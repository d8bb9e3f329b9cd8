"""A backend is used when it agrees with the reference, and otherwise not."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch

from models.backends import choice
from models.backends.choice import explain_backend, open_backend, self_test
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.errors import WeightsError
from models.network import MattingNetwork
from tests.models.random_network import make_network


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return make_network()


def test_the_reference_agrees_with_itself(network: MattingNetwork):
    assert self_test(TorchBackend(network, choose_device("cpu")), network) < 1e-6


def test_another_network_does_not_pass(network: MattingNetwork):
    other = make_network()
    with torch.no_grad():
        assert other.decoder.conv4.bias is not None
        other.decoder.conv4.bias[0] = 0.6
    assert self_test(TorchBackend(other, choose_device("cpu")), network) > 0.02


def test_openvino_is_chosen_where_it_is_installed(network: MattingNetwork):
    device = choose_device("cpu")
    backend = open_backend(network, device)
    assert backend.name.startswith("openvino")
    assert explain_backend(device)[0] == backend.name


def test_a_backend_that_computes_something_else_is_replaced_with_a_warning(
    network: MattingNetwork, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(choice, "self_test", lambda backend, network: 0.5)
    with caplog.at_level(logging.WARNING):
        backend: Any = open_backend(network, choose_device("cpu"))
    assert backend.name == "torch fp32"
    assert "torch takes over" in caplog.text


def test_without_openvino_torch_runs_the_network(
    network: MattingNetwork, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(choice, "openvino_installed", lambda: False)
    assert open_backend(network, choose_device("cpu")).name == "torch fp32"
    assert "extra" in explain_backend(choose_device("cpu"))[1]


def test_unknown_weights_are_reported_before_anything_runs():
    with pytest.raises(WeightsError, match="no weights named"):
        choice.load_backend("mobilenetv2.none-such", "cpu")

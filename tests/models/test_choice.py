"""A backend is used when it agrees with the reference, and otherwise not."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
import torch

from models.backends import choice
from models.backends.choice import TOLERANCE, explain_backend, open_backend, self_test
from models.backends.openvino_backend import OpenVinoBackend
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.errors import DeviceError, WeightsError
from models.network import MattingNetwork
from models.quantisation.calibration import calibrate
from models.quantisation.ranges import Ranges, load_ranges
from models.weights import load_network
from tests.models.random_network import make_network

FLOATS = ("openvino fp32", "openvino bf16")


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


@pytest.fixture(scope="module")
def ranges(network: MattingNetwork) -> Ranges:
    torch.manual_seed(3)
    found = calibrate(network, [(torch.rand(1, 3, 48, 80), torch.rand(1, 3, 48, 80))])
    return replace(found, made={"measured": {"sets": {"people/paper": {"alpha_mad_more": 0.019}}}})


def test_bytes_are_chosen_where_they_gain_and_the_weights_lose_little(
    network: MattingNetwork, ranges: Ranges, monkeypatch: pytest.MonkeyPatch
):
    device = choose_device("cpu")
    monkeypatch.setattr(choice, "processor_gains_by_int8", lambda: True)
    assert open_backend(network, device, ranges).name == "openvino int8"
    assert open_backend(network, device).name != "openvino int8"
    assert open_backend(network, device, replace(ranges, made={})).name != "openvino int8"
    assert explain_backend(device, "mobilenetv2.rooms-2")[0] == "openvino int8"
    monkeypatch.setattr(choice, "processor_gains_by_int8", lambda: False)
    assert open_backend(network, device, ranges).name != "openvino int8"
    assert explain_backend(device, "mobilenetv2.rooms-2")[0] != "openvino int8"


def test_bytes_that_lose_too_much_give_way_to_floats_with_a_warning(
    network: MattingNetwork,
    ranges: Ranges,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(choice, "processor_gains_by_int8", lambda: True)
    monkeypatch.setattr(choice, "processor_has_bf16", lambda: False)
    apart = {"openvino int8": 0.5, "openvino fp32": 0.0}
    monkeypatch.setattr(choice, "self_test", lambda backend, network: apart[backend.name])
    with caplog.at_level(logging.WARNING):
        assert open_backend(network, choose_device("cpu"), ranges).name == "openvino fp32"
    assert "openvino int8 is off by" in caplog.text
    assert "openvino fp32 takes over" in caplog.text


def test_the_bytes_of_the_weights_that_ship_are_close_to_the_reference():
    name = "mobilenetv2.rooms-2"
    backend, network = OpenVinoBackend, load_network(name)
    apart = self_test(backend(network, precision="int8", ranges=load_ranges(name)), network)
    assert 0 < apart < TOLERANCE["int8"] / 2


def test_ranges_of_another_network_leave_floats(
    network: MattingNetwork,
    ranges: Ranges,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(choice, "processor_gains_by_int8", lambda: True)
    other = replace(ranges, peaks={**ranges.peaks, "backbone.conv1": 1.0})
    with caplog.at_level(logging.WARNING):
        assert open_backend(network, choose_device("cpu"), other).name in FLOATS
    assert "no convolution backbone.conv1" in caplog.text


def test_a_precision_that_was_asked_for_is_had_or_refused(
    network: MattingNetwork, ranges: Ranges, monkeypatch: pytest.MonkeyPatch
):
    device = choose_device("cpu")
    assert open_backend(network, device, ranges, "fp32").name == "openvino fp32"
    assert open_backend(network, device, ranges, "int8").name == "openvino int8"
    with pytest.raises(DeviceError, match="weights calibrate"):
        open_backend(network, device, None, "int8")
    monkeypatch.setattr(choice, "openvino_installed", lambda: False)
    with pytest.raises(DeviceError, match="without OpenVINO"):
        open_backend(network, device, ranges, "int8")


def test_without_openvino_torch_runs_the_network(
    network: MattingNetwork, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(choice, "openvino_installed", lambda: False)
    assert open_backend(network, choose_device("cpu")).name == "torch fp32"
    assert "extra" in explain_backend(choose_device("cpu"))[1]


def test_unknown_weights_are_reported_before_anything_runs():
    with pytest.raises(WeightsError, match="no weights named"):
        choice.load_backend("mobilenetv2.none-such", "cpu")

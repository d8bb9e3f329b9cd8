"""A network without batch norms, in halves or in eights gives the same answer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.graphs.folding import folded, halves, in_eights
from models.network import Backbone, MattingConfig, MattingNetwork
from tests.models.published import published_parameters


def network(backbone: Backbone) -> MattingNetwork:
    made = MattingNetwork(MattingConfig(backbone=backbone, prevent_oversampling=False)).eval()
    if backbone == "mobilenetv2":  # drawing the larger one takes half a minute
        made.load_state_dict(published_parameters(made))
    else:
        assert made.decoder.conv4.bias is not None
        with torch.no_grad():
            made.decoder.conv4.bias[0] = 0.5
            for module in made.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.running_mean.uniform_(-0.1, 0.1)
                    module.running_var.uniform_(0.5, 1.5)
    return made


@pytest.mark.parametrize("backbone", ["mobilenetv2", "resnet50"])
@torch.inference_mode()
def test_folding_leaves_no_batch_norm_and_the_same_matte(backbone: Backbone):
    whole = network(backbone)
    short = folded(whole)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in short.modules())
    source, plate = torch.rand(2, 2, 3, 32, 64)
    at = {"base_scale": 0.5, "refine_mode": "full"}
    expected = whole.with_settings(**at)(source, plate)
    got = short.with_settings(**at)(source, plate)
    assert torch.allclose(got.alpha, expected.alpha, atol=2e-4)
    assert torch.allclose(got.foreground, expected.foreground, atol=2e-4)
    assert expected.alpha.std() > 0.002


def test_folding_leaves_the_network_it_was_given_alone():
    whole = network("mobilenetv2")
    before = {key: value.clone() for key, value in whole.state_dict().items()}
    folded(whole)
    after = whole.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())


@torch.inference_mode()
def test_a_convolution_in_eights_ignores_what_is_not_there():
    conv = nn.Conv2d(54, 37, 3, padding=1)
    wide = in_eights(conv)
    assert (wide.in_channels, wide.out_channels) == (56, 40)
    x = torch.rand(1, 54, 9, 7)
    out = wide(torch.cat([x, torch.zeros(1, 2, 9, 7)], 1))
    assert torch.allclose(out[:, :37], conv(x), atol=1e-5)
    assert not out[:, 37:].any()


@pytest.mark.parametrize("bias", [False, True])
@torch.inference_mode()
def test_two_halves_add_up_to_the_first_convolution(bias: bool):
    conv = nn.Conv2d(6, 16, 7, stride=2, padding=3, bias=bias)
    source_half, plate_half = halves(conv)
    source, plate = torch.rand(2, 1, 3, 22, 30)
    expected = conv(torch.cat([source, plate], 1))
    assert torch.allclose(source_half(source) + plate_half(plate), expected, atol=1e-5)


def test_what_has_no_halves_is_refused():
    with pytest.raises(ValueError, match="6 channels"):
        halves(nn.Conv2d(3, 4, 3))
    with pytest.raises(ValueError, match="groups"):
        in_eights(nn.Conv2d(6, 6, 3, groups=6))

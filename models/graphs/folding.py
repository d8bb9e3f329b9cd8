"""The network as its programs want it: no batch norm, channels in eights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.network import MattingNetwork

EIGHT = 8
"""Channels that one 16-byte access holds in fp16: with other counts cuDNN copies its input and
output into padded ones around every convolution."""


def folded(network: MattingNetwork) -> MattingNetwork:
    """A copy in fp32 whose batch norms are part of the convolutions before them: the same answer.

    Folding is done in fp32 so that halving rounds every weight once.
    """
    network = copy.deepcopy(network).float().eval()
    for owner in list(network.modules()):
        for convolution, norm in _pairs(owner):
            conv, batch_norm = getattr(owner, convolution), getattr(owner, norm)
            if isinstance(conv, nn.Conv2d) and isinstance(batch_norm, nn.BatchNorm2d):
                setattr(owner, convolution, fuse_conv_bn_eval(conv, batch_norm))
                setattr(owner, norm, nn.Identity())
    return network.requires_grad_(False)


def in_eights(conv: nn.Conv2d) -> nn.Conv2d:
    """The same convolution for inputs with channels of zeros behind, up to a multiple of eight.

    What it gives has channels of zeros behind as well.
    """
    if conv.groups != 1:
        raise ValueError("a convolution in groups has no room between its channels")
    outputs, inputs = _rounded(conv.out_channels), _rounded(conv.in_channels)
    wide = _like(conv, inputs, outputs, bias=True)
    with torch.no_grad():
        wide.weight.zero_()[: conv.out_channels, : conv.in_channels] = conv.weight
        assert wide.bias is not None
        wide.bias.zero_()
        if conv.bias is not None:
            wide.bias[: conv.out_channels] = conv.bias
    return wide.requires_grad_(False)


def halves(conv: nn.Conv2d) -> tuple[nn.Conv2d, nn.Conv2d]:
    """A convolution of concat(source, plate), 3 channels each, as two that have to be added.

    The bias is the plate's: its half is computed once per plate.
    """
    if conv.in_channels != 6:
        raise ValueError(f"source and plate are 6 channels, not {conv.in_channels}")
    source = _like(conv, 3, conv.out_channels, bias=False)
    plate = _like(conv, 3, conv.out_channels, bias=conv.bias is not None)
    with torch.no_grad():
        source.weight.copy_(conv.weight[:, :3])
        plate.weight.copy_(conv.weight[:, 3:])
        if conv.bias is not None and plate.bias is not None:
            plate.bias.copy_(conv.bias)
    return source.requires_grad_(False), plate.requires_grad_(False)


def _pairs(owner: nn.Module) -> Iterator[tuple[str, str]]:
    """Names of modules of which the second reads nothing but what the first gives."""
    names = [name for name, _ in owner.named_children()]
    if isinstance(owner, nn.Sequential):
        yield from pairwise(names)
        return
    # Elsewhere the network's names say it: bn1 follows conv1.
    for name in names:
        norm = name.replace("conv", "bn", 1)
        if name.startswith("conv") and norm in names:
            yield name, norm


def _like(conv: nn.Conv2d, inputs: int, outputs: int, *, bias: bool) -> nn.Conv2d:
    """A convolution with other channels, in the same place and dtype."""
    padding = conv.padding
    if isinstance(padding, str):
        raise ValueError(f"padding is a number of pixels here, not {padding!r}")
    return nn.Conv2d(
        inputs,
        outputs,
        (conv.kernel_size[0], conv.kernel_size[1]),
        (conv.stride[0], conv.stride[1]),
        (padding[0], padding[1]),
        (conv.dilation[0], conv.dilation[1]),
        bias=bias,
    ).to(conv.weight)


def _rounded(channels: int) -> int:
    return -(-channels // EIGHT) * EIGHT

"""The base network with eight-bit integers in and around every convolution.

In torch the integers are floats that are rounded to steps; OpenVINO finds these roundings in the
translated network and computes with the integers themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.graphs.folding import folded
from models.network import MattingNetwork
from models.quantisation.ranges import FEATURES, Ranges

PICTURES = 6
"""Channels of source and plate, the last ones that the last convolution reads."""

WEIGHT_STEPS: Final = 64
"""That the largest weight of an output channel is cut into. A byte would hold 127, but processors
without VNNI sum two products in 16 bits and cut off what does not fit: with 127 most alphas of real
scenes were wrong by half, while 2 * 255 * 64 fits. The same everywhere, for the same answers."""


def convolutions(network: MattingNetwork) -> Iterator[tuple[str, nn.Conv2d]]:
    """Those of the base network, by the published name."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d) and not name.startswith("refiner."):
            yield name, module


def rounded(network: MattingNetwork, ranges: Ranges) -> MattingNetwork:
    """A copy in fp32 whose base network rounds what its convolutions read, and their weights.

    Args:
        network: as trained.
        ranges: of its convolutions; those without stay as they are.

    Raises:
        ValueError: the ranges are those of another network.
    """
    network = folded(network)
    found = dict(convolutions(network))
    if unknown := sorted(ranges.peaks.keys() - found.keys()):
        raise ValueError(f"the network has no convolution {unknown[0]}")
    if FEATURES in ranges.peaks:
        _level(network, ranges.peaks[FEATURES])
    for name, peak in ranges.peaks.items():
        owner, _, attribute = name.rpartition(".")
        largest = 1.0 if name == FEATURES else peak
        wrapped = _Rounded(found[name], largest, name in ranges.signed)
        setattr(network.get_submodule(owner), attribute, wrapped)
    return network


@torch.no_grad()
def _level(network: MattingNetwork, peak: float) -> None:
    """Features as large as the pictures that stand beside them: at most 1.

    The last convolution reads both with one range. With 0 to 1 the steps are the pictures' own
    bytes, and nothing of them is rounded away.
    """
    conv3, conv4 = network.decoder.conv3, network.decoder.conv4
    conv3.weight /= peak
    assert conv3.bias is not None  # folded from the batch norm
    conv3.bias /= peak
    conv4.weight[:, :-PICTURES] *= peak


class _Rounded(nn.Module):
    """A convolution that reads and multiplies whole steps only."""

    steps: Tensor
    zeros: Tensor

    def __init__(self, convolution: nn.Conv2d, peak: float, signed: bool) -> None:
        super().__init__()
        self.convolution = convolution
        self.least, self.most = (-128, 127) if signed else (0, 255)
        self.step = peak / self.most
        weight = convolution.weight.detach()
        # A channel of zeros has no largest weight, and any step does.
        steps = weight.abs().amax((1, 2, 3)).clamp_min(1e-8) / WEIGHT_STEPS
        spread = steps[:, None, None, None]
        convolution.weight = nn.Parameter(spread * _whole(weight / spread), requires_grad=False)
        self.register_buffer("steps", steps)
        self.register_buffer("zeros", torch.zeros(len(steps), dtype=torch.int32))

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution's own."""
        x = torch.fake_quantize_per_tensor_affine(x, self.step, 0, self.least, self.most)
        weight = torch.fake_quantize_per_channel_affine(
            self.convolution.weight, self.steps, self.zeros, 0, -127, 127
        )
        own = self.convolution
        return functional.conv2d(
            x, weight, own.bias, own.stride, own.padding, own.dilation, own.groups
        )


def _whole(weight: Tensor) -> Tensor:
    """Integers near the weights (O, I, h, w), with the same sum of each h x w as nearly as can be.

    What a convolution reads changes little from pixel to pixel, so that an error of the sum is seen
    everywhere, and one of a single weight at edges alone.
    """
    near = weight.round()
    left = (weight - near).flatten(2)
    owed = left.sum(2, keepdim=True).round()
    # The weights that were rounded furthest the wrong way take one step back.
    rank = (left * owed.sign()).argsort(dim=2, descending=True, stable=True).argsort(dim=2)
    return near + (owed.sign() * (rank < owed.abs())).view_as(near)

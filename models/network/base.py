"""What follows the encoder in the base network: ASPP and decoder (paper appendix A)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

BASE_CHANNELS = 37
"""1 alpha, 3 foreground residual, 1 error, 32 hidden, in this order."""


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear to `size` (rows, columns) with half-pixel centres and no antialiasing."""
    return functional.interpolate(x, size, mode="bilinear", align_corners=False)


def base_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """Rows and columns of the base network's input for a source of this size."""
    return max(int(height * scale), 1), max(int(width * scale), 1)


class _Pooling(nn.Sequential):
    """The image-level branch: its keys start at 1 because 0 is the pool."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        for layer in self:
            x = layer(x)
        # One value a channel: spreading it out is the bilinear resize of a 1x1 map.
        return x.expand(-1, -1, height, width)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling (Chen et al. 2017) with the paper's dilations 3, 6, 9.

    (N, inputs, h, w) to (N, 256, h, w). In training a batch needs at least two images: the pooled
    branch's batch norm sees 1x1 maps.
    """

    def __init__(self, inputs: int, outputs: int = 256) -> None:
        super().__init__()
        branches: list[nn.Module] = [
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            )
        ]
        branches += [
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, padding=rate, dilation=rate, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            )
            for rate in (3, 6, 9)
        ]
        branches.append(_Pooling(inputs, outputs))
        self.convs = nn.ModuleList(branches)
        self.project = nn.Sequential(
            nn.Conv2d(len(branches) * outputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, 256, h, w)."""
        out: Tensor = self.project(torch.cat([branch(x) for branch in self.convs], 1))
        return out


class Decoder(nn.Module):
    """Four times: resize to the next finer map, join it, convolve 3x3 to 128, 64, 48, 37."""

    def __init__(self, skips: tuple[int, int, int, int]) -> None:
        super().__init__()
        full, half, quarter, eighth = skips
        self.conv1 = nn.Conv2d(256 + eighth, 128, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(128)
        self.conv2 = nn.Conv2d(128 + quarter, 64, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64 + half, 48, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(48)
        self.conv4 = nn.Conv2d(48 + full, BASE_CHANNELS, 3, padding=1)

    def forward(self, x: Tensor, skips: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
        """`skips` at 1/1, 1/2, 1/4, 1/8; returns (N, 37, H, W), not yet clamped."""
        full, half, quarter, eighth = skips
        x = functional.relu(self.bn1(self.conv1(_join(x, eighth))))
        x = functional.relu(self.bn2(self.conv2(_join(x, quarter))))
        x = functional.relu(self.bn3(self.conv3(_join(x, half))))
        out: Tensor = self.conv4(_join(x, full))
        return out


def _join(x: Tensor, skip: Tensor) -> Tensor:
    return torch.cat([resize(x, (skip.shape[2], skip.shape[3])), skip], 1)

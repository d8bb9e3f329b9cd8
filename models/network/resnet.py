"""ResNet-50 and ResNet-101 as encoders: five feature maps, output stride 16 (He et al. 2016)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

_BLOCKS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}
_EXPANSION = 4


class _Bottleneck(nn.Module):
    def __init__(
        self, inputs: int, width: int, stride: int, dilation: int, downsample: nn.Module | None
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * _EXPANSION, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * _EXPANSION)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        return functional.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNetEncoder(nn.Module):
    """Source and plate in, features at 1/1, 1/2, 1/4, 1/8 and 1/16 out.

    `layer4` keeps stride 16 by dilation: 1 in its first block, 2 after (no multi-grid). Keys are
    torchvision's without `fc`, with `conv1.weight` widened to (64, 6, 7, 7).
    """

    channels = (6, 64, 256, 512, 2048)

    def __init__(self, variant: Literal["resnet50", "resnet101"]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(6, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        first, second, third, fourth = _BLOCKS[variant]
        self.layer1 = self._layer(64, 64, first, stride=1)
        self.layer2 = self._layer(256, 128, second, stride=2)
        self.layer3 = self._layer(512, 256, third, stride=2)
        self.layer4 = self._layer(1024, 512, fourth, stride=1, dilation=2)

    @staticmethod
    def _layer(
        inputs: int, width: int, blocks: int, stride: int, dilation: int = 1
    ) -> nn.Sequential:
        outputs = width * _EXPANSION
        shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )
        layers: list[nn.Module] = [_Bottleneck(inputs, width, stride, 1, shortcut)]
        layers += [_Bottleneck(outputs, width, 1, dilation, None) for _ in range(1, blocks)]
        return nn.Sequential(*layers)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """(N, 6, H, W) in 0..1 to five maps of `channels` channels each."""
        x1 = functional.relu(self.bn1(self.conv1(x)))
        x2 = self.layer1(functional.max_pool2d(x1, 3, 2, 1))
        x3 = self.layer2(x2)
        x4 = self.layer4(self.layer3(x3))
        return x, x1, x2, x3, x4

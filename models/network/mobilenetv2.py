"""MobileNetV2 as encoder: five feature maps, output stride 16 (Sandler et al. 2018)."""

from __future__ import annotations

from torch import Tensor, nn

# expansion, output channels, blocks, stride of the first block (Sandler et al., table 2).
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# Blocks 14 to 17 would be at stride 32; they stay at 16 and are dilated instead (DeepLabV3).
_FIRST_DILATED = 14


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, dilation: int = 1
) -> nn.Sequential:
    padding = (kernel - 1) // 2 * dilation
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class _InvertedResidual(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, stride: int, expansion: int, dilation: int
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers.append(_convolution(inputs, hidden, 1))
        layers += [
            _convolution(hidden, hidden, 3, stride, groups=hidden, dilation=dilation),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        self.conv = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.residual else out


class MobileNetV2Encoder(nn.Module):
    """Source and plate in, features at 1/1, 1/2, 1/4, 1/8 and 1/16 out.

    Keys are those of the published checkpoints: `features.0.0.weight` (32, 6, 3, 3) to
    `features.17.conv.3.*`.
    """

    channels = (6, 16, 24, 32, 320)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(6, 32, 3, stride=2)]
        inputs = 32
        for expansion, outputs, blocks, first_stride in _STAGES:
            for block in range(blocks):
                index = len(layers)
                stride = first_stride if block == 0 and index != _FIRST_DILATED else 1
                dilation = 2 if index > _FIRST_DILATED else 1
                layers.append(_InvertedResidual(inputs, outputs, stride, expansion, dilation))
                inputs = outputs
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """(N, 6, H, W) in 0..1 to five maps of `channels` channels each."""
        x1 = self.features[:2](x)
        x2 = self.features[2:4](x1)
        x3 = self.features[4:7](x2)
        x4 = self.features[7:](x3)
        return x, x1, x2, x3, x4

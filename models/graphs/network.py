"""The network, split where its parts are computed at different times: by plate and by frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.graphs.folding import folded, halves, in_eights
from models.network import BASE_CHANNELS, MattingNetwork
from models.network.base import resize
from models.network.mobilenetv2 import MobileNetV2Encoder
from models.network.patches import Interpolation, Patches, gather, interpolation
from models.network.refiner import Refiner

SMALL_CHANNELS: Final = 5
"""A small plate and two channels of zeros: with the source and 48 features that makes 56."""


class SplitBase(nn.Module):
    """The base network, which gets the plate's share of its first convolution as an input."""

    def __init__(self, network: MattingNetwork) -> None:
        """`network` is folded; its parameters are shared."""
        super().__init__()
        self.backbone, self.aspp, self.decoder = network.backbone, network.aspp, network.decoder
        self.source_half, self.plate_half = halves(_first(network))
        self.last = in_eights(network.decoder.conv4)

    def forward(self, source: Tensor, plate: Tensor, first: Tensor) -> Tensor:
        """The raw output of `MattingNetwork.base_stage`.

        Args:
            source: (N, 3, h, w) at base scale, RGB, 0..1.
            plate: (N, 5, h, w), the plate and two channels of zeros.
            first: what `plate_half` gives for the plate's three channels.
        """
        x1, x2, x3, x4 = self._encode(self.source_half(source) + first)
        decoder = self.decoder
        x = functional.relu(decoder.conv1(_join(self.aspp(x4), x3)))
        x = functional.relu(decoder.conv2(_join(x, x2)))
        x = functional.relu(decoder.conv3(_join(x, x1)))
        x = torch.cat([resize(x, (source.shape[2], source.shape[3])), source, plate], 1)
        out: Tensor = self.last(x)
        return out[:, :BASE_CHANNELS]

    def _encode(self, first: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Maps at 1/2, 1/4, 1/8 and 1/16 from the sum of the first convolution's halves."""
        if isinstance(self.backbone, MobileNetV2Encoder):
            features = self.backbone.features
            x1 = features[1](functional.relu6(first))
            x2 = features[2:4](x1)
            x3 = features[4:7](x2)
            return x1, x2, x3, features[7:](x3)
        backbone = self.backbone
        x1 = functional.relu(first)
        x2 = backbone.layer1(functional.max_pool2d(x1, 3, 2, 1))
        x3 = backbone.layer2(x2)
        return x1, x2, x3, backbone.layer4(backbone.layer3(x3))


class Grid(NamedTuple):
    """How windows of half the size follow from the base network's maps; constant for a size."""

    rows: Interpolation
    columns: Interpolation


class PatchRefiner(nn.Module):
    """The refiner for a fixed number of patches, whose inputs lie pixel by pixel."""

    def __init__(self, refiner: Refiner) -> None:
        """`refiner` is folded."""
        super().__init__()
        self.conv1, self.conv2 = in_eights(refiner.conv1), in_eights(refiner.conv2)
        self.conv3, self.conv4 = in_eights(refiner.conv3), in_eights(refiner.conv4)
        # Pixels around a patch that the two stages look at: none for convolutions of 1x1.
        self.margin_half, self.margin = (3, 2) if refiner.kernel == 3 else (0, 0)

    def grid(self, coarse: tuple[int, int], frame: tuple[int, int], like: Tensor) -> Grid:
        """For maps of `coarse` and a frame of `frame` rows and columns, with `like`'s dtype."""
        rows, columns = (
            interpolation(small, large // 2, 2, self.margin_half, like=like)
            for small, large in zip(coarse, frame, strict=True)
        )
        return Grid(rows, columns)

    def pad_half(self, picture: Tensor) -> Tensor:
        """Zeros around a picture of half the size, for windows at its border."""
        return functional.pad(picture, (self.margin_half,) * 4)

    def pad(self, picture: Tensor) -> Tensor:
        """Zeros around a picture of full size."""
        return functional.pad(picture, (self.margin,) * 4)

    def forward(
        self, coarse: Tensor, grid: Grid, patches: Patches, seen: tuple[Tensor, ...]
    ) -> Tensor:
        """(P, 4, 4, 4): alpha and residual of each patch.

        Args:
            coarse: (N, 36, h, w): 32 hidden, 1 alpha, 3 residual.
            grid: of `grid`.
            patches: P of them.
            seen: source and plate of half the size, source and plate of full size, each padded.
        """
        window_half, window = 2 + 2 * self.margin_half, 4 + 2 * self.margin
        near = [_windows(picture, patches, 2, window_half) for picture in seen[:2]]
        x = _wide([_resized_windows(coarse, grid, patches), *near], self.conv1)
        x = functional.relu(self.conv1(x))
        x = functional.relu(self.conv2(x))
        x = functional.interpolate(x, scale_factor=2, mode="nearest").permute(0, 2, 3, 1)
        close = [_windows(picture, patches, 4, window) for picture in seen[2:]]
        x = functional.relu(self.conv3(_wide([x, *close], self.conv3)))
        out: Tensor = self.conv4(x)
        return out[:, :4]


class FrameNetwork:
    """Everything that a frame's program runs, on its device in its dtype."""

    def __init__(
        self,
        network: MattingNetwork,
        *,
        device: torch.device,
        dtype: torch.dtype,
        memory_format: torch.memory_format,
    ) -> None:
        """Fold, split and move a copy; the network stays as it is."""
        short = folded(network)
        self.config = network.config
        self.device, self.dtype, self.memory_format = device, dtype, memory_format
        self.base = SplitBase(short)
        self.refiner = PatchRefiner(short.refiner)
        for part in (self.base, self.refiner):
            # torch's annotation of Module.to lacks the layout.
            part.eval().to(device=device, dtype=dtype).to(memory_format=memory_format)  # type: ignore[call-overload]

    @property
    def bytes(self) -> int:
        """Of all parameters on the device."""
        parameters = [*self.base.parameters(), *self.refiner.parameters()]
        return sum(each.numel() * each.element_size() for each in parameters)

    def laid_out(self, x: Tensor) -> Tensor:
        """`x` in the layout that convolutions like best."""
        return x.contiguous(memory_format=self.memory_format)


def _first(network: MattingNetwork) -> nn.Conv2d:
    """The convolution that reads source and plate."""
    backbone = network.backbone
    if isinstance(backbone, MobileNetV2Encoder):
        block = backbone.features[0]
        assert isinstance(block, nn.Sequential)
        first = block[0]
    else:
        first = backbone.conv1
    assert isinstance(first, nn.Conv2d)
    return first


def _join(x: Tensor, skip: Tensor) -> Tensor:
    return torch.cat([resize(x, (skip.shape[2], skip.shape[3])), skip], 1)


def _wide(parts: Sequence[Tensor], conv: nn.Conv2d) -> Tensor:
    """(P, C, rows, columns), pixel by pixel in memory, as a convolution in eights wants it.

    `parts` are (P, rows, columns, channels); channels of zeros come behind them.
    """
    count, rows, columns = parts[0].shape[:3]
    missing = conv.in_channels - sum(part.shape[3] for part in parts)
    nothing = parts[0].new_zeros(1).expand(count, rows, columns, missing)
    return torch.cat([*parts, nothing], 3).permute(0, 3, 1, 2)


def _windows(padded: Tensor, patches: Patches, side: int, window: int) -> Tensor:
    """(P, window, window, C) of a picture that has its margin already."""
    top, left = patches.row * side, patches.column * side
    return gather(padded, patches.image, top, left, (window, window)).permute(0, 2, 3, 1)


def _resized_windows(coarse: Tensor, grid: Grid, patches: Patches) -> Tensor:
    """(P, window, window, C): `crop_resized` as one product a patch.

    Two products, for rows and columns, would be tiny matrices by the hundred thousand; their
    Kronecker product with the block of pixels is one of a size that matrix units like.
    """
    down = grid.rows.matrices[patches.row]  # (P, window, block rows)
    across = grid.columns.matrices[patches.column]
    count, window, rows = down.shape
    columns = across.shape[2]
    top, left = grid.rows.starts[patches.row], grid.columns.starts[patches.column]
    block = gather(coarse, patches.image, top, left, (rows, columns)).permute(0, 2, 3, 1)
    weights = down[:, :, None, :, None] * across[:, None, :, None, :]
    out = torch.bmm(
        weights.reshape(count, window * window, rows * columns),
        block.reshape(count, rows * columns, -1),
    )
    return out.view(count, window, window, -1)

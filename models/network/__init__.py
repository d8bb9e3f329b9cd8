"""The matting network: base, then refine (Lin et al., CVPR 2021).

network = MattingNetwork(MattingConfig(backbone="mobilenetv2"))
matte = network(source, plate)          # N x 3 x H x W, RGB, 0..1
composite = matte.alpha * matte.foreground + (1 - matte.alpha) * backdrop
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.network.base import ASPP, BASE_CHANNELS, Decoder, base_size, resize
from models.network.config import Backbone, MattingConfig, RefineMode
from models.network.mobilenetv2 import MobileNetV2Encoder
from models.network.patches import in_fours
from models.network.refiner import Refiner
from models.network.resnet import ResNetEncoder

__all__ = [
    "BASE_CHANNELS",
    "Backbone",
    "Coarse",
    "Matte",
    "MattingConfig",
    "MattingNetwork",
    "RefineMode",
]


class Coarse(NamedTuple):
    """The base network's answer, at base scale."""

    alpha: Tensor
    """(N, 1, h, w), 0..1."""
    residual: Tensor
    """(N, 3, h, w), foreground minus source, not clamped."""
    error: Tensor
    """(N, 1, h, w), 0..1: how wrong the network expects `alpha` to be."""
    hidden: Tensor
    """(N, 32, h, w), not negative: what it tells the refiner."""


class Matte(NamedTuple):
    """What the network finds in a source, given its plate."""

    alpha: Tensor
    """(N, 1, H, W), 0..1."""
    foreground: Tensor
    """(N, 3, H, W), RGB, 0..1; means something where `alpha` is above 0."""
    coarse_alpha: Tensor
    """(N, 1, h, w), 0..1."""
    coarse_foreground: Tensor
    """(N, 3, h, w), RGB, 0..1."""
    coarse_error: Tensor
    """(N, 1, h, w), 0..1."""
    refined: Tensor
    """(N, 1, ceil(H/4), ceil(W/4)), bool: the 4x4 patches that were refined."""


class MattingNetwork(nn.Module):
    """Background matting in two steps; stateless, so one network can serve many streams.

    Attribute names (`backbone`, `aspp`, `decoder`, `refiner`) are the keys of the authors'
    published checkpoints, which therefore load strictly and unmodified.
    """

    def __init__(self, config: MattingConfig | None = None) -> None:
        super().__init__()
        self.config = config or MattingConfig()
        backbone = self.config.backbone
        self.backbone: MobileNetV2Encoder | ResNetEncoder = (
            MobileNetV2Encoder() if backbone == "mobilenetv2" else ResNetEncoder(backbone)
        )
        *skips, deepest = self.backbone.channels
        self.aspp = ASPP(deepest)
        self.decoder = Decoder((skips[0], skips[1], skips[2], skips[3]))
        self.refiner = Refiner(self.config.refine_kernel)

    def with_settings(
        self,
        *,
        base_scale: float | None = None,
        refine_mode: RefineMode | None = None,
        refine_pixels: int | None = None,
        refine_threshold: float | None = None,
        prevent_oversampling: bool | None = None,
    ) -> MattingNetwork:
        """The same parameters (shared, not copied) with other inference settings."""
        was = self.config
        config = replace(
            was,
            base_scale=was.base_scale if base_scale is None else base_scale,
            refine_mode=refine_mode or was.refine_mode,
            refine_pixels=was.refine_pixels if refine_pixels is None else refine_pixels,
            refine_threshold=was.refine_threshold if refine_threshold is None else refine_threshold,
            prevent_oversampling=(
                was.prevent_oversampling if prevent_oversampling is None else prevent_oversampling
            ),
        )
        other = MattingNetwork.__new__(MattingNetwork)
        nn.Module.__init__(other)
        other.config = config
        other.backbone, other.aspp = self.backbone, self.aspp
        other.decoder, other.refiner = self.decoder, self.refiner
        # Not by train(), which would reach into the shared modules: some may be frozen.
        other.training = self.training
        return other

    def forward(self, source: Tensor, plate: Tensor) -> Matte:
        """Matte a batch.

        Args:
            source: (N, 3, H, W), RGB, 0..1, without mean or deviation taken out.
            plate: the empty scene, same shape and range.

        Raises:
            ValueError: the shapes differ or are not N x 3 x H x W.
        """
        if source.shape != plate.shape or source.dim() != 4 or source.shape[1] != 3:
            raise ValueError(
                "source and plate must both be N x 3 x H x W of the same size, "
                f"not {tuple(source.shape)} and {tuple(plate.shape)}"
            )
        height, width = source.shape[2:]
        source, plate = in_fours(source), in_fours(plate)
        size = self.base_size(source.shape[2], source.shape[3])
        small_source, small_plate = resize(source, size), resize(plate, size)
        base_output = self.base_stage(small_source, small_plate)
        matte = self.refine_stage(source, plate, base_output, small_source)
        return matte._replace(
            alpha=matte.alpha[..., :height, :width],
            foreground=matte.foreground[..., :height, :width],
        )

    def base_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the base network's input for a source of this size."""
        return base_size(height, width, self.config.base_scale)

    def base_stage(self, source: Tensor, plate: Tensor) -> Tensor:
        """The base network alone: nothing but convolutions and resizes, made for exporting.

        Args:
            source: (N, 3, h, w) at base scale, RGB, 0..1.
            plate: the same for the plate.

        Returns:
            (N, 37, h, w), raw; `read_base` gives it meaning.
        """
        *skips, deepest = self.backbone(torch.cat([source, plate], 1))
        out: Tensor = self.decoder(self.aspp(deepest), (skips[0], skips[1], skips[2], skips[3]))
        return out

    @staticmethod
    def read_base(base_output: Tensor) -> Coarse:
        """Name and limit the 37 channels of `base_stage`."""
        return Coarse(
            alpha=base_output[:, :1].clamp(0, 1),
            residual=base_output[:, 1:4],
            error=base_output[:, 4:5].clamp(0, 1),
            hidden=base_output[:, 5:].relu(),
        )

    def refine_stage(
        self,
        source: Tensor,
        plate: Tensor,
        base_output: Tensor,
        small_source: Tensor | None = None,
    ) -> Matte:
        """From the base network's output to the full-size matte.

        Args:
            source: (N, 3, H, W), RGB, 0..1; H and W multiples of 4.
            plate: the same for the plate.
            base_output: (N, 37, h, w) of `base_stage`.
            small_source: (N, 3, h, w), if at hand; else it is made again.
        """
        coarse = self.read_base(base_output)
        if small_source is None:
            small_source = resize(source, (base_output.shape[2], base_output.shape[3]))
        fine, refined = self.refiner(
            torch.cat([source, plate], 1),
            torch.cat([coarse.hidden, coarse.alpha, coarse.residual], 1),
            coarse.error,
            self.config,
        )
        return Matte(
            alpha=fine[:, :1].clamp(0, 1),
            foreground=(fine[:, 1:] + source).clamp(0, 1),
            coarse_alpha=coarse.alpha,
            coarse_foreground=(coarse.residual + small_source).clamp(0, 1),
            coarse_error=coarse.error,
            refined=refined,
        )

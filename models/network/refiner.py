"""The refiner: full resolution where the base network is least sure (paper section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.network.base import resize
from models.network.config import MattingConfig
from models.network.patches import Patches, crop, crop_resized, paste

_HIDDEN = 32


class Refiner(nn.Module):
    """Two stages of two convolutions: at 1/2 resolution, then at full resolution.

    Without padding inside: a kernel of 3 takes an 8x8 window to 4x4 in each stage, a kernel of 1
    takes 2x2 to 2x2, then 4x4 to 4x4.
    """

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.conv1 = nn.Conv2d(_HIDDEN + 10, 24, kernel, bias=False)
        self.bn1 = nn.BatchNorm2d(24)
        self.conv2 = nn.Conv2d(24, 16, kernel, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.conv3 = nn.Conv2d(16 + 6, 12, kernel, bias=False)
        self.bn3 = nn.BatchNorm2d(12)
        self.conv4 = nn.Conv2d(12, 4, kernel)

    def forward(
        self, frames: Tensor, coarse: Tensor, error: Tensor, config: MattingConfig
    ) -> tuple[Tensor, Tensor]:
        """Refine one batch.

        Args:
            frames: (N, 6, H, W), source and plate, 0..1; H and W multiples of 4.
            coarse: (N, 36, h, w): 32 hidden, 1 alpha, 3 residual of the base network.
            error: (N, 1, h, w), predicted error, 0..1.
            config: mode, number of patches and threshold.

        Returns:
            (N, 4, H, W), alpha and residual, not clamped; and (N, 1, H/4, W/4) bool, the refined
            patches.
        """
        height, width = frames.shape[2:]
        if config.refine_mode == "full":
            everywhere = torch.ones(
                (frames.shape[0], 1, height // 4, width // 4), dtype=torch.bool, device=error.device
            )
            return self._everywhere(frames, coarse), everywhere
        selected = select(resize(error, (height // 4, width // 4)), config)
        image, _, row, column = selected.nonzero(as_tuple=True)
        patches = Patches(image, row, column)
        matte = resize(coarse[:, _HIDDEN:], (height, width))
        if len(patches):
            matte = paste(matte, patches, self._patches(frames, coarse, patches).to(matte.dtype))
        return matte, selected

    def _patches(self, frames: Tensor, coarse: Tensor, patches: Patches) -> Tensor:
        """(P, 4, 4, 4): alpha and residual of each patch."""
        half = (frames.shape[2] // 2, frames.shape[3] // 2)
        first, second = (3, 2) if self.kernel == 3 else (0, 0)
        x = crop_resized(coarse, half, patches, side=2, margin=first)
        # Exactly half the size, so the bilinear resize is the mean of 2x2 pixels.
        seen = crop(functional.avg_pool2d(frames, 2), patches, side=2, margin=first)
        x = self.first(torch.cat([x, seen], 1))
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        return self.second(torch.cat([x, crop(frames, patches, side=4, margin=second)], 1))

    def _everywhere(self, frames: Tensor, coarse: Tensor) -> Tensor:
        """(N, 4, H, W) by ordinary convolution; borders see the zeros that patches see."""
        half = (frames.shape[2] // 2, frames.shape[3] // 2)
        first, second = (3, 2) if self.kernel == 3 else (0, 0)
        x = torch.cat([resize(coarse, half), functional.avg_pool2d(frames, 2)], 1)
        x = self.first(functional.pad(x, (first,) * 4))
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        return self.second(torch.cat([x, functional.pad(frames, (second,) * 4)], 1))

    def first(self, x: Tensor) -> Tensor:
        """At half size: (N, 42, h, w), in the order of `conv1`, to (N, 16, h - 4, w - 4); a kernel
        of 1 keeps the size."""
        x = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(x)))

    def second(self, x: Tensor) -> Tensor:
        """At full size: (N, 22, H, W) to (N, 4, H - 4, W - 4), alpha and residual, not clamped; a
        kernel of 1 keeps the size."""
        out: Tensor = self.conv4(functional.relu(self.bn3(self.conv3(x))))
        return out


def select(error: Tensor, config: MattingConfig) -> Tensor:
    """The patches worth refining.

    Args:
        error: (N, 1, rows, columns), predicted error of each patch, 0..1.
        config: its `refine_mode`, `refine_pixels`, `refine_threshold`, `prevent_oversampling`.

    Returns:
        (N, 1, rows, columns) bool. In `sampling` mode the same number for every image, except for
        patches without any error when oversampling is prevented.
    """
    if config.refine_mode == "thresholding":
        return error > config.refine_threshold
    flat = error.flatten(1)
    # The published code fails where an image has fewer patches than were asked for.
    count = min(config.refine_pixels // 16, flat.shape[1])
    chosen = torch.zeros_like(flat, dtype=torch.bool)
    chosen.scatter_(1, flat.topk(count, dim=1, sorted=False).indices, True)
    if config.prevent_oversampling:
        chosen &= flat > 0
    return chosen.view_as(error)

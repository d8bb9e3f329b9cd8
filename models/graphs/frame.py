"""The whole frame: what one program does, as plain torch on any device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from models.graphs.network import SMALL_CHANNELS, FrameNetwork
from models.graphs.pixels import Pixels, TorchPixels
from models.network.base import base_size, resize
from models.network.patches import Patches, in_fours
from models.operating_point import OperatingPoint
from models.tracking import THUMBNAIL


class FrameKey(NamedTuple):
    """What has to be the same for frames to go through one program."""

    height: int
    width: int
    point: OperatingPoint

    @property
    def padded(self) -> tuple[int, int]:
        """Height and width as multiples of 4."""
        return -(-self.height // 4) * 4, -(-self.width // 4) * 4

    @property
    def base_size(self) -> tuple[int, int]:
        """Rows and columns of the base network's input."""
        return base_size(*self.padded, self.point.base_scale)

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the grid of patches."""
        height, width = self.padded
        return height // 4, width // 4

    @property
    def patches(self) -> int:
        """Patches refined in one frame."""
        rows, columns = self.cells
        return min(self.point.refine_pixels // 16, rows * columns)


@dataclass(frozen=True, slots=True)
class Lanes:
    """A program's inputs, at fixed places: one lane for each of its N frames."""

    frames: Tensor
    """(N, H * 3 / 2, W) of uint8, I420."""
    plate: Tensor
    half: Tensor
    small: Tensor
    first: Tensor
    """(N, ...) of `PlateFeatures`."""
    backdrop: Tensor
    """(N, 3, H, W), RGB, 0..1."""

    @property
    def bytes(self) -> int:
        """On the device."""
        parts = (self.frames, self.plate, self.half, self.small, self.first, self.backdrop)
        return sum(part.numel() * part.element_size() for part in parts)


@dataclass(frozen=True, slots=True)
class Finished:
    """A program's outputs, at fixed places."""

    composites: Tensor
    """(N, H * 3 / 2, W) of uint8, I420."""
    thumbnails: Tensor
    """(N, 4, 72, 128) of fp32: means over areas of the source's RGB and of alpha."""

    @property
    def bytes(self) -> int:
        """On the device."""
        parts = (self.composites, self.thumbnails)
        return sum(part.numel() * part.element_size() for part in parts)


class WholeFrame:
    """From `Lanes` to `Finished`, always the same kernels on the same places."""

    def __init__(
        self, network: FrameNetwork, key: FrameKey, count: int, pixels: Pixels | None = None
    ) -> None:
        """A program for `count` frames of `key`; allocates inputs and outputs.

        `pixels` does the full-size work; plain torch if it is not given.

        Raises:
            ValueError: the network does not refine a fixed number of patches.
        """
        if network.config.refine_mode != "sampling":
            raise ValueError(
                f"only sampling refines a fixed number of patches, not {network.config.refine_mode}"
            )
        self._network, self.key, self.count = network, key, count
        self._pixels: Pixels = pixels or TorchPixels()
        empty = torch.empty(0, dtype=network.dtype, device=network.device)
        self._grid = network.refiner.grid(key.base_size, key.padded, like=empty)
        self._images = torch.arange(count, device=network.device).repeat_interleave(key.patches)
        rows, columns = key.cells
        self._firsts = self._images * (rows * columns)  # number of the first cell of its image
        self._numbers = torch.arange(len(self._images), dtype=torch.int32, device=network.device)
        self.lanes, self.finished = self._lanes(), self._outputs()

    @torch.inference_mode()
    def run(self) -> None:
        """Read the lanes, write what is finished. Allocates nothing that outlives it."""
        network, key, lanes = self._network, self.key, self.lanes
        rgb = self._pixels.to_rgb(lanes.frames, network.dtype)
        source = in_fours(rgb)
        small = network.laid_out(resize(source, key.base_size))
        output = network.base(small, lanes.small, lanes.first)
        # 32 hidden, 1 alpha, 3 residual, as the refiner wants them.
        coarse = torch.cat([output[:, 5:].relu(), output[:, :1].clamp(0, 1), output[:, 1:4]], 1)
        coarse = network.laid_out(coarse)
        which, values = self._refine(coarse, output[:, 4:5].clamp(0, 1), source)
        alpha = self._pixels.compose(
            rgb, coarse[:, 32:], which, values, lanes.backdrop, self.finished.composites
        )
        thumbnails = self.finished.thumbnails
        thumbnails[:, :3].copy_(functional.adaptive_avg_pool2d(rgb, THUMBNAIL))
        thumbnails[:, 3:].copy_(functional.adaptive_avg_pool2d(alpha, THUMBNAIL))

    def _refine(self, coarse: Tensor, error: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """The worst patches, the same number in every frame: where they are, and their values.

        See `Pixels.compose`.
        """
        refiner, lanes = self._network.refiner, self.lanes
        rows, columns = self.key.cells
        everywhere = (self.count * rows * columns,)
        which = torch.full(everywhere, -1, dtype=torch.int32, device=coarse.device)
        if not self.key.patches:
            return which.view(self.count, rows, columns), coarse.new_zeros((0, 4, 4, 4))
        worst = resize(error, (rows, columns)).flatten(1).topk(self.key.patches, 1, sorted=False)
        cells = worst.indices.flatten()
        patches = Patches(self._images, cells // columns, cells % columns)
        half = refiner.pad_half(functional.avg_pool2d(source, 2))
        seen = (half, lanes.half, refiner.pad(source), lanes.plate)
        values = refiner(coarse, self._grid, patches, seen)
        numbers = self._numbers
        if self._network.config.prevent_oversampling:
            # As published, and still the same work for every frame: what has no error stays.
            numbers = torch.where(worst.values.flatten() > 0, numbers, -1)
        which.scatter_(0, self._firsts + cells, numbers)
        return which.view(self.count, rows, columns), values

    def _lanes(self) -> Lanes:
        network, key = self._network, self.key
        height, width = key.padded
        rows, columns = key.base_size
        around, around_half = 2 * network.refiner.margin, 2 * network.refiner.margin_half
        small = self._zeros(SMALL_CHANNELS, rows, columns)
        first = network.base.plate_half(network.laid_out(small[:, :3]))
        return Lanes(
            frames=self._bytes(key.height * 3 // 2, key.width),
            plate=self._zeros(3, height + around, width + around),
            half=self._zeros(3, height // 2 + around_half, width // 2 + around_half),
            small=network.laid_out(small),
            first=network.laid_out(torch.zeros_like(first)),
            backdrop=self._zeros(3, key.height, key.width),
        )

    def _outputs(self) -> Finished:
        device = self._network.device
        return Finished(
            composites=self._bytes(self.key.height * 3 // 2, self.key.width),
            thumbnails=torch.zeros((self.count, 4, *THUMBNAIL), device=device),
        )

    def _zeros(self, *shape: int) -> Tensor:
        network = self._network
        return torch.zeros((self.count, *shape), dtype=network.dtype, device=network.device)

    def _bytes(self, rows: int, columns: int) -> Tensor:
        shape = (self.count, rows, columns)
        return torch.zeros(shape, dtype=torch.uint8, device=self._network.device)

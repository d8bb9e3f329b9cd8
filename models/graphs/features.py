"""What follows from a plate alone, computed when the plate changes and not for every frame."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.backends import Fit
from models.graphs.network import SMALL_CHANNELS, FrameNetwork
from models.network.base import resize
from models.network.patches import in_fours


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PlateFeatures:
    """A plate under one fit, as the programs of one size want it."""

    plate: Tensor
    """(3, H' + margins, W' + margins): sides of multiples of 4, then the refiner's zeros."""
    half: Tensor
    """(3, H'/2 + margins, W'/2 + margins)."""
    small: Tensor
    """(5, h, w) at base scale, the last two channels zero."""
    first: Tensor
    """(C, h/2, w/2): the plate's half of the first convolution."""

    @property
    def bytes(self) -> int:
        """On the device."""
        parts = (self.plate, self.half, self.small, self.first)
        return sum(part.numel() * part.element_size() for part in parts)


@torch.inference_mode()
def plate_features(
    network: FrameNetwork, plate: Tensor, fit: Fit, base_size: tuple[int, int]
) -> PlateFeatures:
    """The features of `plate` (1, 3, H, W), RGB, 0..1, for a base network of `base_size`."""
    if fit != Fit():
        gain, offset = (
            torch.tensor(values, dtype=plate.dtype, device=plate.device).view(1, 3, 1, 1)
            for values in (fit.gain, fit.offset)
        )
        plate = torch.addcmul(offset, plate, gain).clamp_(0, 1)
    plate = in_fours(plate)
    small = network.laid_out(resize(plate, base_size))
    wide = functional.pad(small, (0, 0, 0, 0, 0, SMALL_CHANNELS - 3))
    refiner = network.refiner
    return PlateFeatures(
        plate=refiner.pad(plate)[0].clone(),
        half=refiner.pad_half(functional.avg_pool2d(plate, 2))[0],
        small=network.laid_out(wide)[0],
        first=network.base.plate_half(small)[0],
    )


class PlateCache:
    """The features of one stream's plate."""

    def __init__(self, network: FrameNetwork) -> None:
        self._network = network
        self._key: tuple[Tensor, tuple[int, int]] | None = None
        self._fit = Fit()
        self._features: PlateFeatures | None = None
        self.computed = 0
        """How often features were computed."""

    @property
    def bytes(self) -> int:
        """On the device."""
        return 0 if self._features is None else self._features.bytes

    def features(self, plate: Tensor, fit: Fit, base_size: tuple[int, int]) -> PlateFeatures:
        """Those of `plate` (1, 3, H, W) under `fit`, or one that looks the same."""
        known = self._key is not None and self._key[0] is plate and self._key[1] == base_size
        if self._features is None or not known or self._fit.differs(fit):
            # Let go of the old ones first: two generations need not fit into the memory.
            self.clear()
            self._features = plate_features(self._network, plate, fit, base_size)
            self._key, self._fit = (plate, base_size), fit
            self.computed += 1
        return self._features

    def clear(self) -> None:
        """Free the device's memory."""
        self._key = self._features = None

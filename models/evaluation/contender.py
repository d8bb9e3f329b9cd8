"""What is compared: anything that answers a source and its plate with an alpha."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.device import Device, choose_device
from models.network import MattingNetwork
from models.weights import find_card, load_network
from models.weights.card import checksum
from models.weights.parts import whole_name

Picture = NDArray[np.float32]
"""H x W x 3, RGB, 0..1."""

Plane = NDArray[np.float32]
"""H x W, 0..1."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contender finds in one frame; all of the frame's size."""

    alpha: Plane
    foreground: Picture | None = None
    """Means something where `alpha` is above 0; None if the contender finds no colours."""
    error: Plane | None = None
    """How wrong the contender expects `alpha` to be; None if it expects nothing."""


class Contender(Protocol):
    """A way to find the person in front of the camera."""

    @property
    def name(self) -> str:
        """As the report's tables call it."""

    @property
    def sha256(self) -> str | None:
        """Of the file of weights, or of its parts one after another; None where there is none."""

    @property
    def settings(self) -> Mapping[str, object]:
        """Everything else that decides the answers, as JSON can hold it."""

    def start(self) -> None:
        """A new clip begins: forget the frames before."""

    def matte(self, source: Picture, plate: Picture) -> Answer:
        """Answer the next frame of the clip.

        Args:
            source: H x W x 3, RGB, 0..1.
            plate: the empty scene, of the same size; some contenders do without it.
        """


@dataclass(slots=True)
class WeightsContender:
    """Our network with one set of weights, frame by frame, on the processor or on CUDA."""

    network: MattingNetwork
    name: str
    base_scale: float | None = None
    """Side of the base network's input over side of the frame; the network's own if None."""
    refine_pixels: int | None = None
    """Pixels refined per frame; the network's own if None."""
    sha256: str | None = None
    _device: torch.device = field(init=False, repr=False)
    _dtype: torch.dtype = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Put the network, whose parameters stay shared with the caller's, into eval mode."""
        self.network = self.network.eval().with_settings(
            base_scale=self.base_scale, refine_pixels=self.refine_pixels
        )
        parameter = next(self.network.parameters())
        self._device, self._dtype = parameter.device, parameter.dtype

    @classmethod
    def load(
        cls,
        weights: str | Path,
        device: Device | None = None,
        *,
        base_scale: float | None = None,
        refine_pixels: int | None = None,
    ) -> WeightsContender:
        """From the name of a card or a file, in the precision that is usual on `device`.

        Raises:
            WeightsError: there are no such weights, or they are damaged.
        """
        place = device or choose_device("cpu")
        network = load_network(weights).to(place.torch_device, place.dtype)
        path = Path(weights)
        digest = checksum(path) if path.is_file() else find_card(str(weights)).sha256
        name = whole_name(path) if path.is_file() else str(weights)
        return cls(network, name, base_scale, refine_pixels, digest)

    @property
    def settings(self) -> Mapping[str, object]:
        """The network's configuration, its device and its precision."""
        config = self.network.config
        return {
            "backbone": config.backbone,
            "base_scale": config.base_scale,
            "refine_mode": config.refine_mode,
            "refine_pixels": config.refine_pixels,
            "refine_kernel": config.refine_kernel,
            "device": str(self._device),
            "precision": str(self._dtype).removeprefix("torch."),
        }

    def start(self) -> None:
        """Nothing to forget: the network answers every frame by itself."""

    @torch.inference_mode()
    def matte(self, source: Picture, plate: Picture) -> Answer:
        """See `Contender.matte`.

        Raises:
            ValueError: source and plate differ in size.
        """
        matte = self.network(self._upload(source), self._upload(plate))
        error = functional.interpolate(
            matte.coarse_error.float(), source.shape[:2], mode="bilinear", align_corners=False
        )
        foreground = matte.foreground[0].permute(1, 2, 0)
        return Answer(_download(matte.alpha[0, 0]), _download(foreground), _download(error[0, 0]))

    def _upload(self, picture: Picture) -> Tensor:
        """(1, 3, H, W) where and as the network is."""
        planes = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
        return planes[None].to(self._device, self._dtype)


def _download(tensor: Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().contiguous().numpy(), dtype=np.float32)

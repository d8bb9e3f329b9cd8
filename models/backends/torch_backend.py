"""torch: the reference on a processor, and the way to use accelerators."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models import colour
from models.backends import Cutout, Fit
from models.device import Device
from models.network import MattingNetwork
from models.network.base import resize
from models.network.patches import in_fours
from models.operating_point import OperatingPoint
from models.region import Region
from models.report import I420

_NAMES = {torch.float32: "torch fp32", torch.float16: "torch fp16", torch.bfloat16: "torch bf16"}


class TorchBackend:
    """Pictures are tensors (1, 3, H, W), RGB, 0..1, on the device in its dtype."""

    def __init__(self, network: MattingNetwork, device: Device) -> None:
        """Move a copy of the network's parameters, as given, to the device."""
        self._device = device
        self._where, self._dtype = device.torch_device, device.dtype
        # A copy: moving and halving happen in place, and others may hold the network.
        self._network = copy.deepcopy(network).eval().to(device=self._where, dtype=self._dtype)
        # torch's annotation of Module.to lacks the layout.
        self._network.to(memory_format=device.memory_format)  # type: ignore[call-overload]
        self.name = _NAMES[self._dtype]
        self.accelerator = device.kind != "cpu"

    def ready(self, height: int, width: int, point: OperatingPoint) -> bool:
        """See `Backend`. Always: torch takes any size."""
        return True

    def broken(self, height: int, width: int, point: OperatingPoint) -> bool:
        """See `Backend`. Never."""
        return False

    @torch.inference_mode()
    def upload(self, source: I420) -> Tensor:
        """See `Backend`. One copy of 1.5 bytes per pixel; the colours are converted there."""
        colour.frame_size(source)
        frame = torch.from_numpy(np.ascontiguousarray(source))
        if self.accelerator:
            frame = frame.pin_memory().to(self._where, non_blocking=True)
        return colour.to_rgb_tensor(frame, self._dtype)

    @torch.inference_mode()
    def upload_rgb(self, rgb: NDArray[np.uint8]) -> Tensor:
        """See `Backend`."""
        picture = torch.from_numpy(np.ascontiguousarray(rgb)).to(self._where)
        return (picture.permute(2, 0, 1)[None].to(torch.float32) / 255).to(self._dtype)

    def part(self, picture: Tensor, region: Region) -> Tensor:
        """See `Backend`."""
        whole = region.size == picture.shape[-2:]
        return picture if whole else picture[(..., *region.pixels)]

    @torch.inference_mode()
    def adjust(self, plate: Tensor, fit: Fit) -> Tensor:
        """See `Backend`."""
        if fit == Fit():
            return plate
        gain, offset = (
            torch.tensor(values, dtype=self._dtype, device=self._where).view(1, 3, 1, 1)
            for values in (fit.gain, fit.offset)
        )
        return torch.addcmul(offset, plate, gain).clamp_(0, 1)

    @torch.inference_mode()
    def base(self, source: Tensor, plate: Tensor, point: OperatingPoint) -> Tensor:
        """See `Backend`."""
        source, plate = in_fours(source), in_fours(plate)
        size = self._at(point).base_size(source.shape[2], source.shape[3])
        output: Tensor = self._network.base_stage(resize(source, size), resize(plate, size))
        return output

    @torch.inference_mode()
    def refine(
        self, source: Tensor, plate: Tensor, coarse: object, point: OperatingPoint
    ) -> Cutout[Tensor]:
        """See `Backend`."""
        if not isinstance(coarse, Tensor):
            raise TypeError("coarse must be the result of this backend's base")
        height, width = source.shape[2:]
        matte = self._at(point).refine_stage(in_fours(source), in_fours(plate), coarse)
        return Cutout(matte.alpha[..., :height, :width], matte.foreground[..., :height, :width])

    @torch.inference_mode()
    def compose(self, cutout: Cutout[Tensor], backdrop: Tensor) -> Tensor:
        """See `Backend`."""
        return torch.lerp(backdrop, cutout.foreground, cutout.alpha)

    @torch.inference_mode()
    def download(self, picture: Tensor) -> I420:
        """See `Backend`."""
        return np.asarray(colour.to_i420_tensor(picture).cpu().numpy(), dtype=np.uint8)

    @torch.inference_mode()
    def thumbnail(self, picture: Tensor, height: int, width: int) -> NDArray[np.float32]:
        """See `Backend`."""
        small = functional.adaptive_avg_pool2d(picture, (height, width))[0]
        return np.asarray(small.permute(1, 2, 0).float().cpu().numpy(), dtype=np.float32)

    @torch.inference_mode()
    def alpha_thumbnail(
        self, cutout: Cutout[Tensor], height: int, width: int
    ) -> NDArray[np.float32]:
        """See `Backend`."""
        small = functional.adaptive_avg_pool2d(cutout.alpha, (height, width))[0, 0]
        return np.asarray(small.float().cpu().numpy(), dtype=np.float32)

    @torch.inference_mode()
    def read(self, cutout: Cutout[Tensor]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """See `Backend`."""
        alpha = cutout.alpha[0, 0].float().cpu().numpy()
        foreground = (cutout.foreground[0].permute(1, 2, 0).float() * 255).round()
        return np.asarray(alpha, dtype=np.float32), foreground.to(torch.uint8).cpu().numpy()

    def close(self) -> None:
        """See `Backend`. Nothing works beside."""

    def wait(self) -> None:
        """See `Backend`."""
        self._device.wait()

    def _at(self, point: OperatingPoint) -> MattingNetwork:
        return self._network.with_settings(
            base_scale=point.base_scale, refine_pixels=point.refine_pixels
        )

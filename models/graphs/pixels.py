"""The full-size work before and after the network: colours in; refining, mixing and colours out."""

from __future__ import annotations

import importlib.util
import logging
from typing import Final, Protocol

import torch
from torch import Tensor

from models import colour
from models.device import Device
from models.network.base import resize

logger = logging.getLogger(__name__)

TOLERANCE: Final = 0.004
"""Largest difference of RGB and alpha, 0..1, that fp16 explains: one step of 8 bits."""

MOST_APART: Final = 0.02
"""Mean difference of composites, in steps: rounding moves one pixel in a hundred by a step."""


class Pixels(Protocol):
    """Two operations on whole frames."""

    name: str
    """For people: `torch`, `triton`."""

    def to_rgb(self, frames: Tensor, dtype: torch.dtype) -> Tensor:
        """(N, 3, H, W) of RGB, 0..1, from I420 frames (N, H * 3 / 2, W)."""

    def compose(
        self, rgb: Tensor, coarse: Tensor, which: Tensor, values: Tensor, backdrop: Tensor,
        out: Tensor,
    ) -> Tensor:  # fmt: skip
        """Write the composites as I420 into `out`; returns alpha (N, 1, H, W), 0..1.

        Args:
            rgb: (N, 3, H, W) of the source.
            coarse: (N, 4, h, w), alpha and residual of the base network.
            which: (N, rows, columns) of int32: the number of a 4x4 patch's values, -1 for none.
            values: (P, 4, 4, 4), alpha and residual of the refined patches.
            backdrop: (N, 3, H, W).
            out: (N, H * 3 / 2, W) of uint8.
        """


class TorchPixels:
    """Plain torch, on any device: the reference of the other."""

    name = "torch"

    def to_rgb(self, frames: Tensor, dtype: torch.dtype) -> Tensor:
        """See `Pixels`."""
        return colour.to_rgb_tensor(frames, dtype)

    def compose(
        self, rgb: Tensor, coarse: Tensor, which: Tensor, values: Tensor, backdrop: Tensor,
        out: Tensor,
    ) -> Tensor:  # fmt: skip
        """See `Pixels`."""
        count, rows, columns = which.shape
        height, width = rgb.shape[2:]
        matte = resize(coarse.contiguous(), (4 * rows, 4 * columns)).contiguous()
        if len(values):
            # A patch that is not refined reads the first one's values, and they are not used.
            refined = values[which.clamp(min=0).flatten()].view(count, rows, columns, 4, 4, 4)
            refined = refined.permute(0, 3, 1, 4, 2, 5).reshape(matte.shape)
            chosen = (which >= 0).repeat_interleave(4, 1).repeat_interleave(4, 2)[:, None]
            matte = torch.where(chosen, refined, matte)
        alpha = matte[:, :1, :height, :width].clamp(0, 1)
        foreground = (matte[:, 1:, :height, :width] + rgb).clamp_(0, 1)
        out.copy_(colour.to_i420_tensors(torch.lerp(backdrop, foreground, alpha)))
        return alpha


def open_pixels(device: Device) -> Pixels:
    """Triton's on CUDA, where they do what torch does; else torch's, with a warning if that is a
    surprise."""
    plain = TorchPixels()
    if device.kind == "cpu" or importlib.util.find_spec("triton") is None:
        return plain
    try:
        from models.graphs.triton_pixels import TritonPixels

        fused = TritonPixels()
        reason = apart(fused, device)
    except Exception as error:  # a compiler: it raises what it likes
        reason = f"{type(error).__name__}: {error}"
    if not reason:
        return fused
    logger.warning("Triton's kernels are not used, plain torch takes longer: %s", reason)
    return plain


@torch.inference_mode()
def apart(pixels: Pixels, device: Device) -> str:
    """How `pixels` differ from plain torch on random frames of awkward sizes; empty if they do
    not."""
    plain = TorchPixels()
    where, dtype = device.torch_device, device.dtype
    generator = torch.Generator(where).manual_seed(1)

    def random(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=where).to(dtype)

    for height, width, small in [(42, 62, (10, 15)), (64, 288, (24, 108)), (36, 64, (18, 32))]:
        rows, columns = -(-height // 4), -(-width // 4)
        frames = (random(2, height * 3 // 2, width).float() * 255).to(torch.uint8)
        rgb, expected_rgb = (each.to_rgb(frames, dtype) for each in (pixels, plain))
        off = float((rgb - expected_rgb).abs().max())
        if not off <= TOLERANCE:
            return f"RGB of {width}x{height} is off by {off:.4f}"
        which = torch.full((2 * rows * columns,), -1, dtype=torch.int32, device=where)
        chosen = torch.randperm(len(which), generator=generator, device=where)[: len(which) // 3]
        which[chosen] = torch.arange(len(chosen), dtype=torch.int32, device=where)
        which = which.view(2, rows, columns)
        values, coarse = (
            random(*shape) * 1.4 - 0.2 for shape in ((len(chosen), 4, 4, 4), (2, 4, *small))
        )
        backdrop = random(2, 3, height, width)
        out = torch.full_like(frames, 7)
        expected = torch.full_like(frames, 9)
        alpha = pixels.compose(expected_rgb, coarse, which, values, backdrop, out)
        right = plain.compose(expected_rgb, coarse, which, values, backdrop, expected)
        off = float((alpha - right).abs().max())
        if not off <= TOLERANCE:
            return f"alpha of {width}x{height} is off by {off:.4f}"
        steps = (out.float() - expected.float()).abs()
        if not (float(steps.max()) <= 1 and float(steps.mean()) <= MOST_APART):
            return f"composites of {width}x{height} are off by {float(steps.mean()):.3f} steps"
    return ""

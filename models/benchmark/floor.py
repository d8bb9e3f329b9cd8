"""How fast it could be: what a frame must multiply and move, and what the device can."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.device import Device
from models.graphs.frame import FrameKey
from models.network import MattingNetwork


@dataclass(frozen=True, slots=True)
class Work:
    """What one frame asks for."""

    multiplications: int
    """Of all convolutions (MAC), with a fixed number of patches."""
    least_bytes: int
    """Each input read once, each output written once: frames, backdrop, windows of the plate,
    parameters."""
    layer_bytes: int
    """And every convolution's input read and output written: without fusing, no less."""


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What the device was measured to do."""

    multiplications: float
    """A second, in a large matrix product."""
    bytes: float
    """A second, read and written, in a large copy."""
    precision: str


@dataclass(frozen=True, slots=True)
class Floor:
    """Milliseconds below which a frame cannot be."""

    arithmetic: float
    least_bytes: float
    layer_bytes: float


def count(network: MattingNetwork, key: FrameKey, item: int) -> Work:
    """The work for a frame of `key` with numbers of `item` bytes; computes nothing."""
    with torch.device("meta"):
        empty = MattingNetwork(network.config).eval()
    layers = _Layers(empty)
    rows, columns = key.base_size
    small = torch.empty((1, 3, rows, columns), device="meta")
    refiner, patches = empty.refiner, key.patches
    margin_half, margin = (3, 2) if refiner.kernel == 3 else (0, 0)
    half, full = 2 + 2 * margin_half, 4 + 2 * margin
    with layers, torch.inference_mode():
        empty.base_stage(small, small)
        if patches:
            x = torch.empty((patches, refiner.conv1.in_channels, half, half), device="meta")
            refiner.conv2(refiner.conv1(x))
            x = torch.empty((patches, refiner.conv3.in_channels, full, full), device="meta")
            refiner.conv4(refiner.conv3(x))
    parameters = sum(each.numel() for each in empty.parameters())
    pixels = key.height * key.width
    windows = patches * 3 * (half * half + full * full)
    least = 3 * pixels + (3 * pixels + windows + parameters) * item
    return Work(layers.multiplications, least, least + layers.numbers * item)


def measure_ceilings(device: Device) -> Ceilings:
    """On this device, in its precision, on random numbers; takes a second or two."""
    where, dtype = device.torch_device, device.dtype
    side = 8192 if device.kind != "cpu" else 1024
    a, b = (torch.randn(side, side, device=where, dtype=dtype) for _ in range(2))
    product = _best(device, lambda: a @ b, 10)
    numbers = (1 << 30) if device.kind != "cpu" else (1 << 27)
    source = torch.randint(0, 255, (numbers,), dtype=torch.uint8, device=where)
    target = torch.empty_like(source)
    copy = _best(device, lambda: target.copy_(source), 10)
    return Ceilings(side**3 / product, 2 * numbers / copy, str(dtype).removeprefix("torch."))


def floor(work: Work, ceilings: Ceilings) -> Floor:
    """Milliseconds a frame."""
    return Floor(
        arithmetic=1000 * work.multiplications / ceilings.multiplications,
        least_bytes=1000 * work.least_bytes / ceilings.bytes,
        layer_bytes=1000 * work.layer_bytes / ceilings.bytes,
    )


def _best(device: Device, work: Any, times: int) -> float:
    """Seconds of the fastest of some repetitions, after two that warm up."""
    best = float("inf")
    with torch.inference_mode():
        for number in range(times + 2):
            device.wait()
            began = time.perf_counter()
            work()
            device.wait()
            if number >= 2:
                best = min(best, time.perf_counter() - began)
    return best


class _Layers:
    """Counts convolutions while they run, on tensors without contents."""

    def __init__(self, network: nn.Module) -> None:
        self._convolutions = [each for each in network.modules() if isinstance(each, nn.Conv2d)]
        self._hooks: list[Any] = []
        self.multiplications = self.numbers = 0

    def __enter__(self) -> _Layers:
        self._hooks = [each.register_forward_hook(self._count) for each in self._convolutions]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _count(self, conv: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        rows, columns = conv.kernel_size
        each = conv.in_channels // conv.groups * rows * columns
        self.multiplications += output.numel() * each
        self.numbers += inputs[0].numel() + output.numel()

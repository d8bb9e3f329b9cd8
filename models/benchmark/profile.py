"""Which kernels a program's time goes into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity

from models.device import Device
from models.graphs.frame import FrameKey, WholeFrame
from models.graphs.network import FrameNetwork
from models.graphs.pixels import open_pixels
from models.network import MattingNetwork

REPEATS: Final = 5


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kind of kernel."""

    name: str
    calls: int
    """In one program."""
    milliseconds: float
    """In one program, of all calls together."""


def profile(
    network: MattingNetwork, device: Device, key: FrameKey, count: int, most: int = 20
) -> list[Kernel]:
    """The kernels that take longest, in a program for `count` frames that runs step by step."""
    parts = FrameNetwork(
        network,
        device=device.torch_device,
        dtype=device.dtype,
        memory_format=device.memory_format,
    )
    program = WholeFrame(parts, key, count, open_pixels(device))
    for _ in range(3):
        program.run()
    device.wait()
    activities = [ProfilerActivity.CPU]
    if device.kind != "cpu":
        activities = [ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as seen:
        for _ in range(REPEATS):
            program.run()
        device.wait()
    kernels = [
        Kernel(str(each.key), each.count // REPEATS, _microseconds(each, device) / 1000 / REPEATS)
        for each in seen.key_averages()
    ]
    kernels.sort(key=lambda kernel: -kernel.milliseconds)
    return [kernel for kernel in kernels if kernel.milliseconds > 0][:most]


def as_markdown(kernels: list[Kernel]) -> str:
    """A table; names as the profiler gives them, cut."""
    total = sum(kernel.milliseconds for kernel in kernels)
    lines = ["| kernel | calls | ms | share |", "|---|---|---|---|"]
    for kernel in kernels:
        name = kernel.name[:90].replace("|", "/")
        share = 100 * kernel.milliseconds / total
        lines.append(f"| `{name}` | {kernel.calls} | {kernel.milliseconds:.3f} | {share:.0f} % |")
    return "\n".join(lines) + "\n"


def _microseconds(event: Any, device: Device) -> float:
    if device.kind == "cpu":
        return float(event.self_cpu_time_total)
    return float(event.self_device_time_total)

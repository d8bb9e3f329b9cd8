"""Ranges for eight-bit integers, from pictures: the same pictures give the same ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

import torch
from torch import Tensor, nn

from models.graphs.folding import folded
from models.network import MattingNetwork
from models.quantisation.ranges import FEATURES, Ranges
from models.quantisation.rounding import PICTURES, convolutions

BINS: Final = 2048
"""Of the histogram of magnitudes."""

SHARES: Final = tuple(share / 50 for share in range(20, 51))
"""0.4 to 1 of the largest magnitude, that are tried as the peak."""

SPARED: Final = 7
"""First convolutions that are not rounded: they see the pictures through the fewest channels, and
in MobileNetV2 they are 2.5 % of all multiplications. With four of them 60 scenes lost up to 2.0 %
in MAD, with seven 1.1 %, in the same time (the evaluation that the card names, 2026-11-26)."""

Frame = tuple[Tensor, Tensor]
"""Source and plate, (1, 3, h, w) at base scale, 0..1."""


@torch.inference_mode()
def calibrate(network: MattingNetwork, frames: Sequence[Frame]) -> Ranges:
    """The peak of every convolution that rounds what it reads with the least squared error.

    The first ones have none: see `SPARED`.

    Args:
        network: as trained; read only.
        frames: of the sizes that the base network will see.
    """
    network = folded(network)
    largest: dict[str, float] = {}
    signed: set[str] = set()

    def look(name: str, x: Tensor) -> None:
        largest[name] = max(largest.get(name, 0.0), float(x.abs().max()))
        if float(x.min()) < 0:
            signed.add(name)

    _watch(network, frames, look)
    counted = {name: torch.zeros(BINS, dtype=torch.float64) for name in largest}

    def count(name: str, x: Tensor) -> None:
        counted[name] += torch.histc(x.abs(), BINS, 0, largest[name]).double()

    _watch(network, frames, count)
    peaks = {
        name: _best_peak(counted[name], largest[name], 127 if name in signed else 255)
        for name in largest
    }
    return Ranges(peaks, frozenset(signed))


def _watch(
    network: MattingNetwork, frames: Iterable[Frame], look: Callable[[str, Tensor], None]
) -> None:
    """Show `look` what every convolution that is rounded reads, by its name."""

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def seen(module: nn.Module, given: tuple[Tensor, ...]) -> None:
            look(name, given[0][:, :-PICTURES] if name == FEATURES else given[0])

        return seen

    handles = [
        convolution.register_forward_pre_hook(hook(name))
        for name, convolution in islice(convolutions(network), SPARED, None)
    ]
    try:
        for source, plate in frames:
            network.base_stage(source, plate)
    finally:
        for handle in handles:
            handle.remove()


def _best_peak(counts: Tensor, largest: float, steps: int) -> float:
    """Of all `SHARES`, that with which rounding and cutting off err least, squared."""
    values = (torch.arange(BINS, dtype=torch.float64) + 0.5) * (largest / BINS)

    def error(share: float) -> float:
        step = share * largest / steps
        kept = (values / step).round().clamp(max=steps) * step
        return float((counts * (values - kept) ** 2).sum())

    # Four digits: in the fifth another machine's sums may differ.
    return float(f"{min(SHARES, key=error) * largest:.4g}")

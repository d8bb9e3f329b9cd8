"""What a program as it is written moves through memory: its operations, without their contents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from models.graphs.frame import FrameKey, WholeFrame
from models.graphs.network import FrameNetwork
from models.graphs.pixels import Pixels, TorchPixels
from models.network import MattingNetwork

VIEWS: Final = {
    *("view", "permute", "slice", "unbind", "select", "expand", "unsqueeze", "squeeze", "detach"),
    *("transpose", "reshape", "as_strided", "alias", "flatten", "unflatten", "split"),
    *("empty", "empty_like", "new_empty", "arange"),
}
"""Operations that move nothing, or only numbers that do not depend on the frame's size."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """One frame's, for a batch of one."""

    operations: int
    """That read or write memory: about as many kernels, as cuDNN adds a bias in one of its own."""
    bytes: int
    """Read and written, if no operation finds what the one before it left in a cache."""
    by_operation: dict[str, int]
    """Bytes of each kind of operation, the most first."""


def traffic(network: MattingNetwork, key: FrameKey, *, fused: bool) -> Traffic:
    """Of `network`'s program in fp16, with the full-size work fused or in plain torch."""
    parts = FrameNetwork(
        network,
        device=torch.device("meta"),
        dtype=torch.float16,
        memory_format=torch.channels_last,
    )
    pixels: Pixels = _Fused() if fused else TorchPixels()
    program = WholeFrame(parts, key, 1, pixels)
    counter = _Counter()
    if isinstance(pixels, _Fused):
        pixels.count = counter.add
    with counter:
        program.run()
    most_first = dict(sorted(counter.by_operation.items(), key=lambda each: -each[1]))
    return Traffic(counter.operations, sum(most_first.values()), most_first)


class _Counter(TorchDispatchMode):
    """Adds up what operations read and write."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]  # by release of torch
        self.operations = 0
        self.by_operation: dict[str, int] = {}

    def add(self, name: str, moved: int) -> None:
        """One more operation; `moved` bytes."""
        self.operations += 1
        self.by_operation[name] = self.by_operation.get(name, 0) + moved

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run it, and count it unless it is a view."""
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if name in VIEWS:
            return out
        tensors = list(_tensors([args, out]))
        if name == "index":
            # Reads as much as it writes, and not all of what it picks from.
            self.add(name, 2 * _bytes(out) + sum(_bytes(each) for each in tensors[1:-1]))
        elif name == "contiguous" and out is args[0]:
            pass  # it was already
        else:
            self.add(name, sum(map(_bytes, tensors)))
        return out


class _Fused:
    """Triton's kernels as far as memory goes: each input and output once."""

    name = "fused"

    def __init__(self) -> None:
        self.count: Callable[[str, int], None] = lambda name, moved: None

    def to_rgb(self, frames: Tensor, dtype: torch.dtype) -> Tensor:
        """See `Pixels`."""
        count, height, width = frames.shape[0], frames.shape[1] * 2 // 3, frames.shape[2]
        rgb = torch.empty((count, 3, height, width), dtype=dtype, device=frames.device)
        self.count("to_rgb", _bytes(frames) + _bytes(rgb))
        return rgb

    def compose(
        self, rgb: Tensor, coarse: Tensor, which: Tensor, values: Tensor, backdrop: Tensor,
        out: Tensor,
    ) -> Tensor:  # fmt: skip
        """See `Pixels`."""
        alpha = torch.empty_like(rgb[:, :1])
        moved = (rgb, coarse, which, values, backdrop, out, alpha)
        self.count("compose", sum(map(_bytes, moved)))
        return alpha


def _tensors(found: Any) -> Iterable[Tensor]:
    if isinstance(found, Tensor):
        yield found
    elif isinstance(found, (list, tuple)):
        for each in found:
            yield from _tensors(each)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()

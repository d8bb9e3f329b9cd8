"""Weights too large for one file, in parts.

Part 2 of 4 of `resnet50.rooms-1` is `resnet50.rooms-1.2-of-4.safetensors`: safetensors with some of
the parameters, each whole. The path of any part stands for all of them. Their checksum is that of
the parts one after another, as `cat resnet50.rooms-1.?-of-4.safetensors | sha256sum` prints it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors.torch import save
from torch import Tensor

from models.errors import WeightsError

FILE_LIMIT: Final = 24_000_000
"""Bytes of one file. The repository takes files of up to 25 MB."""

SUFFIX: Final = ".safetensors"

HEADER_SPACE: Final = 256
"""Bytes kept free for the length of a file's header, its padding, and besides each parameter's name
for its type, shape and offsets: about 100 as safetensors writes them."""

_PART: Final = re.compile(r"(?P<name>.+)\.(?P<index>[1-9]\d*)-of-(?P<count>[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of several, as a card lists it."""

    file: str
    """Its name, beside the card."""
    size: int
    """Bytes."""
    sha256: str
    """Of this file, in hexadecimal."""


def part_names(name: str, count: int) -> list[str]:
    """Names of the files of weights in `count` parts, in order."""
    return [f"{name}.{index}-of-{count}{SUFFIX}" for index in range(1, count + 1)]


def is_part(stem: str) -> bool:
    """Whether a file of this name, without its suffix, is one of several."""
    return _parse(stem) is not None


def whole_name(path: Path) -> str:
    """Name of the weights that a file holds all or a part of: no suffix, no number of a part."""
    stem = path.name.removesuffix(path.suffix)
    parsed = _parse(stem) if path.suffix == SUFFIX else None
    return parsed[0] if parsed else stem


def files_of(path: Path) -> list[Path]:
    """The file itself, or where it is a part, all of them in order.

    Raises:
        WeightsError: one is missing; names it.
    """
    parsed = _parse(path.name.removesuffix(SUFFIX)) if path.suffix == SUFFIX else None
    if parsed is None:
        return [path]
    files = [path.parent / name for name in part_names(*parsed)]
    for file in files:
        if path.is_file() and not file.is_file():
            raise WeightsError(
                f"{file.name} is missing beside {path.name}: the weights are in {len(files)} parts "
                "and all are needed; fetch it again"
            )
    return files


def divide(state: Mapping[str, Tensor], limit: int) -> list[dict[str, Tensor]]:
    """Parameters in their order, in as many groups as files of at most `limit` bytes need.

    Raises:
        WeightsError: a single parameter is larger than that; names it.
    """
    if len(save(dict(state))) <= limit:
        return [dict(state)]
    groups: list[dict[str, Tensor]] = []
    free = 0
    for name, tensor in state.items():
        size = tensor.nbytes + len(name.encode()) + HEADER_SPACE
        if size + HEADER_SPACE > limit:
            raise WeightsError(
                f"{name} alone has {tensor.nbytes} bytes, and a file may have {limit}: such "
                "weights cannot be stored"
            )
        if size > free:
            groups.append({})
            free = limit - HEADER_SPACE
        groups[-1][name] = tensor
        free -= size
    return groups


def _parse(stem: str) -> tuple[str, int] | None:
    """Name of the whole and count of its parts; None where it is no part."""
    match = _PART.fullmatch(stem)
    if match is None or not int(match["index"]) <= int(match["count"]) > 1:
        return None
    return match["name"], int(match["count"])

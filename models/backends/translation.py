"""The network in OpenVINO's form, translated once per machine.

Tracing takes 3 to 5 seconds of the start on two cores; reading the result back takes 0.2.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import openvino
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.backends import tiles
from models.backends.tiles import TileGrid
from models.graphs import folding
from models.network import MattingNetwork
from models.quantisation import rounding
from models.quantisation.ranges import Ranges
from models.quantisation.rounding import rounded

logger = logging.getLogger(__name__)

PARTS = ("base", "refiner")


def translate(network: MattingNetwork, core: Any, ranges: Ranges | None = None) -> tuple[Any, Any]:
    """Base network and refiner of tiles, for any size, from the cache if they are there.

    Args:
        network: as trained.
        core: of OpenVINO.
        ranges: of the base network's convolutions, if it is to be rounded to bytes.

    Raises:
        ValueError: the ranges are those of another network.
    """
    folder = cache_folder() / _fingerprint(network, ranges)
    try:
        base, refiner = (core.read_model(folder / f"{part}.xml") for part in PARTS)
        return base, refiner
    except RuntimeError:
        logger.info("translating the network for OpenVINO")
    models = _trace(network, ranges)
    try:
        _keep(models, folder)
    except (OSError, RuntimeError) as error:
        # A file system that is full or read-only costs seconds at every start and nothing else.
        logger.info("the translated network is not kept: %s", error)
    return models


def cache_folder() -> Path:
    """`CLEANPLATE_CACHE`, else the user's cache folder (XDG)."""
    if chosen := os.environ.get("CLEANPLATE_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cleanplate"


def _trace(network: MattingNetwork, ranges: Ranges | None) -> tuple[Any, Any]:
    base = rounded(network, ranges) if ranges else network
    # Traced at an arbitrary size; the sizes stay free until they are compiled.
    small = torch.rand(1, 3, 32, 48)
    grid = TileGrid((64, 96), (32, 48), network.config.refine_kernel)
    window, (rows, columns), tiles = grid.window, grid.block, 2
    seen, coarse = torch.rand(tiles, 3, window, window), torch.rand(tiles, rows, columns, 37)
    half = window // 2
    down, across = torch.rand(tiles, half, rows), torch.rand(tiles, half, columns)
    with torch.inference_mode(), warnings.catch_warnings():
        # OpenVINO traces; torch calls that deprecated and warns of sizes, which are kept free.
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        warnings.filterwarnings("ignore", module="models.network")
        return (
            openvino.convert_model(_Base(base), example_input=(small, small)),
            openvino.convert_model(
                _TileRefiner(network), example_input=(seen, seen, coarse, down, across)
            ),
        )


def _keep(models: tuple[Any, Any], folder: Path) -> None:
    """Whole or not at all: another process may read at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        inner = Path(made) / "models"
        for part, model in zip(PARTS, models, strict=True):
            openvino.save_model(model, inner / f"{part}.xml", compress_to_fp16=False)
        inner.rename(folder)


def _fingerprint(network: MattingNetwork, ranges: Ranges | None = None) -> str:
    """Of everything that the translation depends on."""
    digest = hashlib.sha256(f"{openvino.__version__} {torch.__version__}".encode())
    sources = sorted((Path(__file__).parents[1] / "network").glob("*.py"))
    if ranges is not None:
        peaks, signed = sorted(ranges.peaks.items()), sorted(ranges.signed)
        digest.update(repr((peaks, signed)).encode())
        sources += [Path(rounding.__file__), Path(folding.__file__)]
    for path in [Path(__file__), Path(tiles.__file__), *sources]:
        digest.update(path.read_bytes())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return f"openvino-{digest.hexdigest()[:16]}"


class _Base(nn.Module):
    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: Tensor, plate: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 37, h, w), and again the 5 of them that are for the whole frame: the host reads
        these pixel by pixel, a sixth of the memory."""
        out = self.network.base_stage(source, plate)
        return out, out[:, :5]


class _TileRefiner(nn.Module):
    """The refiner on what `models.backends.tiles` cuts out."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.refiner = network.refiner
        # Pixels of the halo that the first stage uses up, and that both do.
        self.first, self.both = (4, 6) if network.config.refine_kernel == 3 else (0, 0)

    def forward(
        self, source: Tensor, plate: Tensor, coarse: Tensor, down: Tensor, across: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Alpha (N, 1, 16, 16), 0..1, and foreground (N, 3, 16, 16), 0..255, ready to be cut off.

        See `models.backends.tiles.Cut`; frames are N x 3 x window x window, 0..1, here.
        """
        alpha, residual, hidden = coarse[..., :1], coarse[..., 1:4], coarse[..., 5:]
        # As `MattingNetwork.read_base`, with channels last: the resizes that follow are two
        # products of matrices for all channels together.
        found = torch.cat([hidden.relu(), alpha.clamp(0, 1), residual], 3)
        count, rows, columns, channels = found.shape
        found = down @ found.reshape(count, rows, columns * channels)
        found = across.unsqueeze(1) @ found.reshape(count, down.shape[1], columns, channels)
        frames = torch.cat([source, plate], 1)
        x = self.refiner.first(
            torch.cat([found.permute(0, 3, 1, 2), functional.avg_pool2d(frames, 2)], 1)
        )
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        out = self.refiner.second(torch.cat([x, _inner(frames, self.first)], 1))
        foreground = (out[:, 1:] + _inner(source, self.both)).clamp(0, 1) * 255 + 0.5
        return out[:, :1].clamp(0, 1), foreground


def _inner(x: Tensor, border: int) -> Tensor:
    """Without a border of so many pixels."""
    return x[..., border : x.shape[2] - border, border : x.shape[3] - border]

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

import openvino  # type: ignore[import-untyped,import-not-found,unused-ignore]
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.network import MattingNetwork
from models.network.base import resize

logger = logging.getLogger(__name__)

PARTS = ("base", "refiner")


def translate(network: MattingNetwork, core: Any) -> tuple[Any, Any]:
    """Base network and dense refiner, for any size of frame, from the cache if they are there."""
    folder = cache_folder() / _fingerprint(network)
    try:
        base, refiner = (core.read_model(folder / f"{part}.xml") for part in PARTS)
        return base, refiner
    except RuntimeError:
        logger.info("translating the network for OpenVINO")
    models = _trace(network)
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


def _trace(network: MattingNetwork) -> tuple[Any, Any]:
    # Traced at an arbitrary size; the sizes stay free until they are compiled.
    frame, small = torch.rand(1, 3, 64, 96), torch.rand(1, 3, 32, 48)
    coarse, refined = torch.rand(1, 37, 32, 48), torch.ones(1, 1, 16, 24)
    with torch.inference_mode(), warnings.catch_warnings():
        # OpenVINO traces; torch calls that deprecated and warns of sizes, which are kept free.
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        warnings.filterwarnings("ignore", module="models.network")
        return (
            openvino.convert_model(_Base(network), example_input=(small, small)),
            openvino.convert_model(
                _DenseRefiner(network), example_input=(frame, frame, coarse, refined)
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


def _fingerprint(network: MattingNetwork) -> str:
    """Of everything that the translation depends on."""
    digest = hashlib.sha256(f"{openvino.__version__} {torch.__version__}".encode())
    sources = Path(__file__).parents[1] / "network"
    for path in [Path(__file__), *sorted(sources.glob("*.py"))]:
        digest.update(path.read_bytes())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return f"openvino-{digest.hexdigest()[:16]}"


class _Base(nn.Module):
    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: Tensor, plate: Tensor) -> Tensor:
        return self.network.base_stage(source, plate)


class _DenseRefiner(nn.Module):
    """`MattingNetwork.refine_stage` with the selection made outside, as a mask of patches."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        everything = network.with_settings(refine_mode="full")
        self.network, self.refiner, self.config = network, everything.refiner, everything.config

    def forward(
        self, source: Tensor, plate: Tensor, base_output: Tensor, refined: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Alpha (1, 1, H, W), 0..1, and foreground (1, 3, H, W), 0..255, ready to be cut off."""
        coarse = self.network.read_base(base_output)
        found = torch.cat([coarse.hidden, coarse.alpha, coarse.residual], 1)
        frames = torch.cat([source, plate], 1)
        dense, _ = self.refiner(frames, found, coarse.error, self.config)
        size = (source.shape[2], source.shape[3])
        plain = resize(torch.cat([coarse.alpha, coarse.residual], 1), size)
        chosen = functional.interpolate(refined, scale_factor=4.0, mode="nearest")
        out = plain + chosen * (dense - plain)
        foreground = (out[:, 1:] + source).clamp(0, 1) * 255 + 0.5
        return out[:, :1].clamp(0, 1), foreground

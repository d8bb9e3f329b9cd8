"""What is compared: the plain reference path and the engine, both from I420 to I420."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import colour
from models.backdrop import Picture
from models.benchmark.scene import Scene
from models.device import Device
from models.engine import InProcessEngine
from models.errors import MattingError
from models.network import MattingNetwork
from models.report import I420, Quality

PATIENCE: Final = 120.0
"""Seconds for one call; the first one compiles."""

PROVING: Final = 40
"""Frames after which a plate from a picture has proved itself: shown before anything is timed."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One frame's result."""

    pixels: I420
    milliseconds: Mapping[str, float]
    """Per stage, without the total."""
    quality: Quality | None = None
    """How closely an engine looked."""


class Contestant(Protocol):
    """One way from a source to a composite."""

    name: str
    about: str
    """A line for the table: precision, settings."""

    def frame(self, source: I420) -> Shown:
        """The composite of one frame; returns when it is on the host."""


class ReferencePath:
    """Straight PyTorch as in the authors' scripts: fp32, batch 1, RGB on the host."""

    name = "reference path"

    def __init__(self, network: MattingNetwork, device: Device, scene: Scene) -> None:
        """The network keeps the published settings for the scene's size."""
        height, width = scene.plate.shape[:2]
        scale, pixels = published_settings(height, width)
        self._network = (
            copy.deepcopy(network)  # it moves to the device
            .float()
            .eval()
            .with_settings(base_scale=scale, refine_mode="sampling", refine_pixels=pixels)
            .to(device.torch_device)
        )
        self._device = device
        self._plate, self._backdrop = self._tensor(scene.plate), self._tensor(scene.backdrop)
        self.about = f"torch fp32, batch 1, base scale {scale:g}, {pixels} pixels refined"

    @torch.inference_mode()
    def frame(self, source: I420) -> Shown:
        """See `Contestant`."""
        laps: dict[str, float] = {}
        began = time.perf_counter()

        def lap(stage: str) -> None:
            nonlocal began
            self._device.wait()
            now = time.perf_counter()
            laps[stage] = 1000 * (now - began)
            began = now

        rgb = colour.to_rgb(source)
        lap("decode")
        picture = self._tensor(rgb)
        lap("upload")
        matte = self._network(picture, self._plate)
        lap("network")
        mixed = matte.alpha * matte.foreground + (1 - matte.alpha) * self._backdrop
        lap("composite")
        back = (mixed[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()
        lap("download")
        pixels = colour.to_i420(np.ascontiguousarray(back))
        lap("encode")
        return Shown(pixels, laps)

    def _tensor(self, rgb: NDArray[np.uint8]) -> Tensor:
        picture = torch.from_numpy(np.ascontiguousarray(rgb)).to(self._device.torch_device)
        return picture.permute(2, 0, 1)[None].float() / 255


class EnginePath:
    """The engine that `cleanplate serve` opens, through the interface that the gateway uses."""

    name = "engine"

    def __init__(self, engine: InProcessEngine, scene: Scene) -> None:
        """A stream of `engine` whose plate has proved itself.

        Raises:
            MattingError: the plate is not accepted, so that only the backdrop would be timed.
        """
        self._scene = scene
        self._stream = engine.open_stream()
        self._stream.load_plate(scene.plate).result(PATIENCE)
        self._stream.set_backdrop(Picture(scene.backdrop)).result(PATIENCE)
        described = engine.describe()
        self.about = f"{described.backend} on {described.device_name}"
        self._looked: list[float] = []
        proving, until = 0, time.monotonic() + PATIENCE
        # With a governor, the first frames do not wait for the networks they need.
        while proving < PROVING and time.monotonic() < until:
            source = scene.sources[proving % len(scene.sources)]
            composite = self._stream.composite(source).result(PATIENCE)
            proving += composite.quality is not None
        if composite.validity == "invalid":
            raise MattingError("the engine hides this scene's person: nothing can be measured")

    def frame(self, source: I420) -> Shown:
        """See `Contestant`."""
        composite = self._stream.composite(source).result(PATIENCE)
        if composite.quality is not None:
            self._looked.append(composite.quality.looked)
        laps = {k: v for k, v in composite.milliseconds.items() if k != "total"}
        return Shown(composite.pixels, laps, composite.quality)

    @property
    def looked(self) -> float:
        """Share of a frame that the network saw, 0..1, in the middle of those measured."""
        return float(np.median(self._looked)) if self._looked else 1.0

    def close(self) -> None:
        """End the stream."""
        self._stream.close()


def published_settings(height: int, width: int) -> tuple[float, int]:
    """Base scale and refined pixels that the authors document: for HD, and from 4K on."""
    return (0.125, 320_000) if max(height, width) > 2048 else (0.25, 80_000)


def together(paths: list[EnginePath], scene: Scene, seconds: float) -> tuple[int, float]:
    """Frames of several streams and the seconds they took; each stream has one on its way."""
    until = time.perf_counter() + seconds

    def show(path: EnginePath) -> int:
        count = 0
        while time.perf_counter() < until:
            path.frame(scene.sources[count % len(scene.sources)])
            count += 1
        return count

    began = time.perf_counter()
    with ThreadPoolExecutor(len(paths)) as pool:
        total = sum(pool.map(show, paths))
    return total, time.perf_counter() - began

"""Scenes as the network meets them: a source and a plate, degraded independently, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from models.scenes import camera
from models.scenes.camera import Generator, Image
from models.scenes.composition import Scene


@dataclass(frozen=True, slots=True)
class Batch:
    """N samples of one size, float32 tensors in 0..1."""

    source: Tensor  # (N, 3, H, W)
    plate: Tensor  # (N, 3, H, W)
    alpha: Tensor  # (N, 1, H, W)
    foreground: Tensor  # (N, 3, H, W)


def degrade(scene: Scene, rng: Generator) -> tuple[Image, Image, Image, Image]:
    """Two cameras look at the scene: source, plate, alpha (H x W x 1) and foreground.

    Light that changes for both changes the true foreground too; what only the plate suffers is the
    drift the network has to see through.
    """
    source, plate, foreground = scene.picture, scene.empty, scene.foreground
    seed = int(rng.integers(2**32))
    if rng.random() < 0.6:
        source, plate, foreground = (
            camera.drift(image, np.random.default_rng(seed), 1.5)
            for image in (source, plate, foreground)
        )
    grain = 0.03 * rng.random() ** 1.5
    if rng.random() < 0.12:  # low light
        dim = np.float32(rng.uniform(0.3, 0.7))
        source, plate, foreground = source * dim, plate * dim, foreground * dim
        grain = rng.uniform(0.01, 0.045)
    if rng.random() < 0.7:
        plate = camera.drift(plate, rng, rng.random())
    if rng.random() < 0.25:
        plate = camera.shade(plate, rng)
    source = _expose(source, grain, rng)
    # A plate is the median of a second of frames, so it has less noise than a frame.
    plate = _expose(plate, grain * rng.uniform(0.1, 1.0), rng)
    return source, plate, scene.alpha[..., None], foreground


def degrade_for_validation(scene: Scene, rng: Generator) -> tuple[Image, Image, Image, Image]:
    """The paper's test recipe (appendix D.2) with the noise of a webcam, and what WebRTC adds.

    Plate: shift of up to 0.3 px, gamma 0.85..1.15. Both: independent noise of sigma 0.01, 4:2:0
    chroma, JPEG of quality 80.
    """
    height, width = scene.alpha.shape
    shift = rng.uniform(-0.3, 0.3, 2)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    plate = cv2.warpAffine(scene.empty, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    plate = np.power(np.clip(plate, 0, 1), np.float32(rng.uniform(0.85, 1.15)))
    source = scene.picture
    seen = []
    for image in (source, np.asarray(plate, dtype=np.float32)):
        noisy = camera.noise(image, rng, 0.01)
        seen.append(camera.jpeg(camera.subsample_chroma(noisy), 80))
    return seen[0], seen[1], scene.alpha[..., None], scene.foreground


def stack(samples: Sequence[tuple[Image, Image, Image, Image]]) -> Batch:
    """Samples of one size as one batch."""
    columns = (np.stack(column) for column in zip(*samples, strict=True))
    source, plate, alpha, foreground = (
        torch.from_numpy(column.astype(np.float32).transpose(0, 3, 1, 2).copy())
        for column in columns
    )
    return Batch(source, plate, alpha, foreground)


def _expose(image: Image, grain: float, rng: Generator) -> Image:
    if rng.random() < 0.15:
        image = camera.defocus(image, rng)
    if rng.random() < 0.15:
        image = camera.sharpen(image, rng)
    if rng.random() < 0.8:
        image = camera.noise(image, rng, grain)
    draw = rng.random()
    if draw < 0.25:
        image = camera.jpeg(image, int(rng.integers(45, 96)))
    elif draw < 0.4:
        image = camera.video(_shaken(image, rng), image, "libvpx", int(rng.integers(15, 50)))
    elif draw < 0.55:
        image = camera.video(_shaken(image, rng), image, "libx264", int(rng.integers(20, 38)))
    elif draw < 0.8:
        image = camera.subsample_chroma(image)
    return camera.limited(image)


def _shaken(image: Image, rng: Generator) -> Image:
    """A frame before this one: the same, moved a little."""
    shift = rng.uniform(-2, 2, 2)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    size = (image.shape[1], image.shape[0])
    moved = cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)

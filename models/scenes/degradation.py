"""Scenes as the network meets them: a source and a plate, degraded independently, and the truth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from models.scenes import camera, streaming
from models.scenes.camera import Generator, Image
from models.scenes.chances import Degradation
from models.scenes.composition import Scene
from models.scenes.sample import Sample


def degrade(scene: Scene, rng: Generator, chances: Degradation | None = None) -> Sample:
    """Two cameras look at the scene: source, plate, alpha (H x W x 1) and foreground.

    Light that changes for both changes the true foreground too; what only the plate suffers is the
    drift the network has to see through.
    """
    chances = chances or Degradation()
    source, plate, foreground = scene.picture, scene.empty, scene.foreground
    seed = int(rng.integers(2**32))
    if rng.random() < chances.light:
        source, plate, foreground = (
            camera.drift(image, np.random.default_rng(seed), 1.5)
            for image in (source, plate, foreground)
        )
    grain = 0.03 * rng.random() ** 1.5
    if rng.random() < chances.dim:
        dim = np.float32(rng.uniform(0.3, 0.7))
        source, plate, foreground = source * dim, plate * dim, foreground * dim
        grain = rng.uniform(0.01, 0.045)
    if rng.random() < chances.drift:
        plate = camera.drift(plate, rng, rng.random(), exposure=chances.exposure, tint=chances.tint)
    if rng.random() < chances.shade:
        plate = camera.shade(plate, rng)
    source = _expose(source, grain, rng, chances)
    if chances.median and rng.random() < chances.median:
        plate = camera.median(plate, rng, grain, 2 * int(rng.integers(2, 8)) + 1)
        plate = _expose(plate, 0.0, rng, replace(chances, noise=0))
    else:
        # A plate is the median of a second of frames, so it has less noise than a frame.
        plate = _expose(plate, grain * rng.uniform(0.1, 1.0), rng, chances)
    return source, plate, scene.alpha[..., None], foreground


def degrade_little(scene: Scene, rng: Generator) -> Sample:
    """A good camera that stands still: the plate's exposure drifts by up to the strength of the
    paper's test set, both have independent noise of sigma up to 0.015."""
    plate = camera.drift(scene.empty, rng, rng.random())
    sigma = 0.015 * rng.random()
    source, plate = (camera.noise(image, rng, sigma) for image in (scene.picture, plate))
    return source, plate, scene.alpha[..., None], scene.foreground


def degrade_plate(scene: Scene, rng: Generator) -> Sample:
    """A good camera and a plate from another time of day: at the full strength of `camera.drift`,
    and as a whole up to 20 % darker or brighter; both have independent noise of sigma up to 0.015.
    """
    gain = np.float32(rng.uniform(0.8, 1.2))
    plate = camera.limited(camera.drift(scene.empty, rng) * gain)
    sigma = 0.015 * rng.random()
    source, plate = (camera.noise(image, rng, sigma) for image in (scene.picture, plate))
    return source, plate, scene.alpha[..., None], scene.foreground


def _expose(image: Image, grain: float, rng: Generator, chances: Degradation) -> Image:
    if rng.random() < chances.defocus:
        image = camera.defocus(image, rng)
    if rng.random() < chances.sharpen:
        image = camera.sharpen(image, rng)
    if rng.random() < chances.noise:
        image = camera.noise(image, rng, grain)
    vp8, h264 = chances.jpeg + chances.vp8, chances.jpeg + chances.vp8 + chances.h264
    draw = rng.random()
    if draw < chances.jpeg:
        image = camera.jpeg(image, int(rng.integers(45, 96)))
    elif draw < h264:
        codec = "libvpx" if draw < vp8 else "libx264"
        if chances.bitrate and rng.random() < chances.bitrate:
            image = streaming.received(image, codec, streaming.draw_bitrate(rng), grain, rng)
        else:
            before = _shaken(image, rng)
            quantiser = int(rng.integers(*((15, 50) if codec == "libvpx" else (20, 38))))
            image = camera.video(before, image, codec, quantiser)
    elif draw < h264 + chances.chroma:
        image = camera.subsample_chroma(image)
    return camera.limited(image)


def _shaken(image: Image, rng: Generator) -> Image:
    """A frame before this one: the same, moved a little."""
    shift = rng.uniform(-2, 2, 2)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    size = (image.shape[1], image.shape[0])
    moved = cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)

"""The base network in bytes on the portrait that ships: close to the reference at every level."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models import colour
from models.backdrop import Colour
from models.backends import Backend, choice
from models.backends.openvino_backend import OpenVinoBackend
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.engine import InProcessEngine
from models.network import MattingNetwork
from models.operating_point import LEVELS, Level, OperatingPoint, operating_point
from models.quantisation.pictures import SHIPPED
from models.quantisation.ranges import load_ranges
from models.weights import default_weights, load_network

HEIGHT, WIDTH = 360, 640

Bytes = NDArray[np.uint8]
Alpha = NDArray[np.float32]
Portrait = tuple[Bytes, Bytes, Alpha]
"""Source, plate and the true alpha."""


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return load_network(default_weights())


@pytest.fixture(scope="module")
def backend(network: MattingNetwork) -> OpenVinoBackend:
    return OpenVinoBackend(network, precision="int8", ranges=load_ranges(default_weights()))


@pytest.fixture(scope="module")
def floats(network: MattingNetwork) -> OpenVinoBackend:
    return OpenVinoBackend(network, precision="fp32")


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    plate = cv2.resize(cv2.imread(str(SHIPPED / "room-0001.jpg")), (WIDTH, HEIGHT))[..., ::-1]
    person = cv2.imread(str(SHIPPED / "astronaut.webp"), cv2.IMREAD_UNCHANGED)
    person = cv2.resize(person, (HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA)
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[:, 140 : 140 + HEIGHT] = person[..., 3] / 255
    colours = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    colours[:, 140 : 140 + HEIGHT] = person[..., 2::-1]
    source = alpha[..., None] * colours + (1 - alpha[..., None]) * plate
    return np.rint(source).astype(np.uint8), np.ascontiguousarray(plate), alpha


def matte(backend: Backend[Any], portrait: Portrait, point: OperatingPoint) -> Alpha:
    seen, empty = (backend.upload_rgb(picture) for picture in portrait[:2])
    with torch.inference_mode():
        cutout = backend.refine(seen, empty, backend.base(seen, empty, point), point)
    return backend.read(cutout)[0].copy()


def test_bytes_give_the_references_portrait(
    backend: OpenVinoBackend, network: MattingNetwork, portrait: Portrait
):
    point = operating_point(HEIGHT, WIDTH, accelerator=False)
    exact = matte(TorchBackend(network, choose_device("cpu")), portrait, point)
    apart = np.abs(matte(backend, portrait, point) - exact)
    assert 0 < apart.mean() < 0.001
    assert (apart > 0.1).mean() < 0.001
    assert backend.name == "openvino int8"


@pytest.mark.parametrize("level", [LEVELS[0], LEVELS[-1]], ids=["all there is", "the least"])
def test_bytes_lose_little_against_floats_at_every_level(
    backend: OpenVinoBackend, floats: OpenVinoBackend, portrait: Portrait, level: Level
):
    point = operating_point(HEIGHT, WIDTH, accelerator=False, level=level)
    alpha, exact = matte(backend, portrait, point), matte(floats, portrait, point)
    truth = portrait[2]
    assert 0 < np.abs(alpha - exact).mean() < 0.002
    assert np.abs(alpha - truth).mean() < 1.05 * np.abs(exact - truth).mean()


def test_an_unchanged_room_stays_empty(backend: OpenVinoBackend, portrait: Portrait):
    _, plate, truth = portrait
    point = operating_point(HEIGHT, WIDTH, accelerator=False)
    assert matte(backend, (plate, plate, truth), point).mean() < 0.002


def test_bytes_need_ranges(network: MattingNetwork):
    with pytest.raises(ValueError, match="ranges"):
        OpenVinoBackend(network, precision="int8")


def test_the_engine_runs_the_shipped_weights_in_bytes_where_that_gains(
    portrait: Portrait, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(choice, "processor_gains_by_int8", lambda: True)
    source, plate, _ = portrait
    engine = InProcessEngine(device="cpu")
    try:
        described = engine.describe()
        assert (described.backend, described.weights) == ("openvino int8", default_weights())
        stream = engine.open_stream()
        stream.load_plate(plate).result(60)
        stream.set_backdrop(Colour(0, 0, 0)).result(60)
        composite = stream.composite(colour.to_i420(source)).result(60)
        assert composite.pixels.shape == (HEIGHT * 3 // 2, WIDTH)
        assert composite.milliseconds["base"] > 0
    finally:
        engine.close()

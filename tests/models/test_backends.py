"""Every backend gives the reference's answer within its precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from models import colour
from models.backends import Backend, Cutout, Fit
from models.backends.openvino_backend import OpenVinoBackend
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.network import MattingNetwork
from models.operating_point import OperatingPoint
from tests.models.random_network import make_network

POINT = OperatingPoint(base_scale=0.5, refine_pixels=1600)
Make = Callable[[MattingNetwork], Backend[Any]]


def torch_backend(network: MattingNetwork) -> Backend[Any]:
    return TorchBackend(network, choose_device("cpu"))


def openvino_backend(network: MattingNetwork) -> Backend[Any]:
    return OpenVinoBackend(network)


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return make_network()


@pytest.fixture(params=[torch_backend, openvino_backend], scope="module")
def backend(request: pytest.FixtureRequest, network: MattingNetwork) -> Backend[Any]:
    return request.param(network)


def pictures(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    plate = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    source = plate.copy()
    source[height // 4 :, width // 4 : -width // 4] = 200
    return source, plate


def tensor(rgb: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize(("height", "width"), [(96, 128), (66, 94), (97, 131)])
def test_the_matte_is_the_networks(
    backend: Backend[Any], network: MattingNetwork, height: int, width: int
):
    source, plate = pictures(height, width)
    # Every patch: a random network's errors are alike, and bf16 would choose others among them.
    point = OperatingPoint(base_scale=POINT.base_scale, refine_pixels=height * width * 2)
    at = network.with_settings(base_scale=point.base_scale, refine_pixels=point.refine_pixels)
    with torch.inference_mode():
        expected = at(tensor(source), tensor(plate))
    frames = backend.upload_rgb(source), backend.upload_rgb(plate)
    cutout = backend.refine(*frames, backend.base(*frames, point), point)
    alpha, foreground = backend.read(cutout)
    assert alpha.shape == (height, width)
    assert foreground.shape == (height, width, 3)
    apart = np.abs(alpha - expected.alpha[0, 0].numpy())
    assert apart.mean() < 0.004
    assert apart.max() < 0.03
    apart = np.abs(foreground / 255 - expected.foreground[0].permute(1, 2, 0).numpy())
    assert apart.mean() < 0.006


def test_a_second_frame_leaves_the_first_cutout_alone(backend: Backend[Any]):
    source, plate = (backend.upload_rgb(rgb) for rgb in pictures(64, 64))
    first = backend.refine(source, plate, backend.base(source, plate, POINT), POINT)
    alpha, _ = backend.read(first)
    before = alpha.copy()
    backend.refine(plate, plate, backend.base(plate, plate, POINT), POINT)
    assert (backend.read(first)[0] == before).all()


def test_the_plate_takes_the_fitted_colours(backend: Backend[Any]):
    rgb = np.full((4, 4, 3), 100, np.uint8)
    adjusted = backend.adjust(
        backend.upload_rgb(rgb), Fit((1.0, 1.1, 0.5), (0.0, 10 / 255, -60 / 255))
    )
    means = backend.thumbnail(adjusted, 1, 1)[0, 0] * 255
    assert means == pytest.approx([100, 120, 0], abs=0.6)


def test_the_composite_shows_backdrop_where_alpha_is_zero(backend: Backend[Any]):
    source, plate = (backend.upload_rgb(rgb) for rgb in pictures(64, 64))
    cutout = backend.refine(source, plate, backend.base(source, plate, POINT), POINT)
    backdrop = np.zeros((64, 64, 3), np.uint8)
    backdrop[..., 1] = 177
    alpha, foreground = backend.read(cutout)
    composite = backend.compose(cutout, backend.upload_rgb(backdrop))
    expected = alpha[..., None] * foreground + (1 - alpha[..., None]) * backdrop
    whole = backend.thumbnail(composite, 64, 64) * 255
    assert np.abs(whole - expected).max() < 1.1


def test_a_frame_goes_up_and_comes_back_down(backend: Backend[Any]):
    grey = np.full((48, 32), 128, np.uint8)
    grey[:32] = np.arange(32, dtype=np.uint8) * 5 + 30
    assert np.abs(backend.download(backend.upload(grey)).astype(int) - grey).max() <= 1


def test_thumbnails_are_means_of_areas(backend: Backend[Any]):
    frame = np.zeros((4, 8, 3), np.uint8)
    frame[:, 4:] = 255
    assert backend.thumbnail(backend.upload_rgb(frame), 1, 2)[0, :, 0] == pytest.approx([0, 1])
    cutout = Cutout(
        backend.refine(*[backend.upload_rgb(frame)] * 2, _coarse(backend, frame), POINT).alpha,
        backend.upload_rgb(frame),
    )
    alpha, _ = backend.read(cutout)
    assert backend.alpha_thumbnail(cutout, 1, 1)[0, 0] == pytest.approx(alpha.mean(), abs=1e-4)


def _coarse(backend: Backend[Any], rgb: np.ndarray) -> object:
    frame = backend.upload_rgb(rgb)
    return backend.base(frame, frame, POINT)


def test_frames_of_different_sizes_take_turns(backend: Backend[Any]):
    for height, width in [(64, 96), (32, 64), (64, 96)]:
        frame = backend.upload(colour.to_i420(np.full((height, width, 3), 90, np.uint8)))
        cutout = backend.refine(frame, frame, backend.base(frame, frame, POINT), POINT)
        assert backend.read(cutout)[0].shape == (height, width)

"""A frame as one program is what the steps of the pipeline make of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models import colour
from models.backends import FIT_STEP, Fit
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.graphs.features import PlateCache, plate_features
from models.graphs.frame import FrameKey, WholeFrame
from models.graphs.network import FrameNetwork
from models.network import MattingConfig, MattingNetwork
from models.operating_point import OperatingPoint
from models.tracking import THUMBNAIL
from tests.models.whole_frames import fill, frame_network, make_published, room, source

EVERYWHERE = 1_000_000


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return make_published()


@pytest.fixture(scope="module")
def parts(network: MattingNetwork) -> FrameNetwork:
    return frame_network(network)


@pytest.mark.parametrize(
    ("height", "width", "scale", "pixels"),
    [
        (32, 64, 0.5, EVERYWHERE),
        (42, 62, 0.25, EVERYWHERE),  # not in fours, and every border has patches
        (32, 64, 0.375, 0),
        (64, 96, 0.25, 1600),
    ],
)
def test_one_program_gives_the_composite_of_the_steps(
    network: MattingNetwork,
    parts: FrameNetwork,
    height: int,
    width: int,
    scale: float,
    pixels: int,
):
    point = OperatingPoint(scale, pixels)
    program = WholeFrame(parts, FrameKey(height, width, point), 2)
    backend = TorchBackend(network, choose_device("cpu"))
    fit = Fit((1.1, 0.9, 1.0), (0.01, 0.0, -0.02))
    plates = [backend.upload_rgb(room(seed, height, width)) for seed in (1, 2)]
    backdrops = [backend.upload_rgb(room(seed, height, width)) for seed in (3, 4)]
    frames = [source(seed, height, width) for seed in (1, 2)]
    for lane in (0, 1):
        fill(program, parts, lane, frames[lane], plates[lane], backdrops[lane], fit)
    program.run()
    for lane in (0, 1):
        image = backend.upload(frames[lane])
        plate = backend.adjust(plates[lane], fit)
        cutout = backend.refine(image, plate, backend.base(image, plate, point), point)
        expected = backend.download(backend.compose(cutout, backdrops[lane]))
        got = program.finished.composites[lane].numpy()
        apart = np.abs(got.astype(int) - expected)
        # Where two patches are equally uncertain, rounding decides which is refined.
        assert (apart > 1).mean() < (0.002 if pixels == 1600 else 1e-9)
        views = program.finished.thumbnails[lane].numpy()
        assert views[:3].transpose(1, 2, 0) == pytest.approx(
            backend.thumbnail(image, *THUMBNAIL), abs=1e-5
        )
        assert np.abs(views[3] - backend.alpha_thumbnail(cutout, *THUMBNAIL)).mean() < 1e-3
        assert np.ptp(views[3]) > 0.1


@pytest.mark.parametrize("config", [MattingConfig(refine_kernel=1), MattingConfig("resnet50")])
def test_other_networks_are_programs_too(config: MattingConfig):
    torch.manual_seed(3)
    network = MattingNetwork(config).eval()
    assert network.decoder.conv4.bias is not None
    with torch.no_grad():
        network.decoder.conv4.bias[0] = 0.5
    point = OperatingPoint(0.5, EVERYWHERE)
    parts = frame_network(network)
    program = WholeFrame(parts, FrameKey(32, 64, point), 1)
    backend = TorchBackend(network, choose_device("cpu"))
    plate, backdrop = (backend.upload_rgb(room(seed, 32, 64)) for seed in (1, 2))
    fill(program, parts, 0, source(1, 32, 64), plate, backdrop)
    program.run()
    image = backend.upload(source(1, 32, 64))
    cutout = backend.refine(image, plate, backend.base(image, plate, point), point)
    expected = backend.download(backend.compose(cutout, backdrop))
    apart = np.abs(program.finished.composites[0].numpy().astype(int) - expected)
    assert apart.max() <= 1


def test_what_has_no_error_is_refined_only_where_oversampling_is_allowed():
    network = make_published()
    assert network.decoder.conv4.bias is not None
    with torch.no_grad():
        network.decoder.conv4.bias[4] = -10.0
    generous = network.with_settings(prevent_oversampling=False)
    point = OperatingPoint(0.5, EVERYWHERE)
    matted = []
    for each in (network, generous):
        parts = frame_network(each)
        program = WholeFrame(parts, FrameKey(32, 48, point), 1)
        backend = TorchBackend(each, choose_device("cpu"))
        plate, backdrop = (backend.upload_rgb(room(seed, 32, 48)) for seed in (1, 2))
        fill(program, parts, 0, source(1, 32, 48), plate, backdrop)
        program.run()
        image = backend.upload(source(1, 32, 48))
        cutout = backend.refine(image, plate, backend.base(image, plate, point), point)
        matted.append(program.finished.composites[0].numpy().copy())
        expected = backend.download(backend.compose(cutout, backdrop))
        assert np.abs(matted[-1].astype(int) - expected).max() <= 1
    assert (matted[0] != matted[1]).any()


def test_a_network_that_refines_by_threshold_has_no_program(network: MattingNetwork):
    parts = frame_network(network.with_settings(refine_mode="thresholding"))
    with pytest.raises(ValueError, match="sampling"):
        WholeFrame(parts, FrameKey(64, 96, OperatingPoint(0.5, 1600)), 1)


@torch.inference_mode()
def test_the_plates_half_of_the_first_convolution_is_part_of_its_features(
    network: MattingNetwork, parts: FrameNetwork
):
    source, plate = torch.rand(2, 1, 3, 32, 48)
    features = plate_features(parts, plate, Fit(), (32, 48))
    got = parts.base(source, features.small[None], features.first[None])
    assert torch.allclose(got, network.base_stage(source, plate), atol=2e-3, rtol=1e-3)


def test_features_are_computed_when_the_plate_its_fit_or_the_base_changes(parts: FrameNetwork):
    cache = PlateCache(parts)
    plate, other = torch.rand(2, 1, 3, 64, 96)
    first = cache.features(plate, Fit(), (16, 24))
    assert cache.features(plate, Fit(), (16, 24)) is first
    unseen = Fit((1 + 0.4 * FIT_STEP,) * 3, (0.4 * FIT_STEP,) * 3)
    assert cache.features(plate, unseen, (16, 24)) is first
    assert cache.computed == 1
    for plate_now, fit, size in [
        (plate, Fit((1.0, 1.0, 1.01)), (16, 24)),
        (other, Fit((1.0, 1.0, 1.01)), (16, 24)),
        (other, Fit((1.0, 1.0, 1.01)), (32, 48)),
    ]:
        before = cache.computed
        cache.features(plate_now, fit, size)
        assert cache.computed == before + 1
    assert cache.bytes > 0
    cache.clear()
    assert cache.bytes == 0


def test_small_steps_of_a_fit_add_up_to_a_new_one():
    adopted, fit, adoptions = Fit(), Fit(), 0
    for _ in range(40):
        fit = replace(fit, offset=tuple(o + FIT_STEP / 4 for o in fit.offset))
        if adopted.differs(fit):
            adopted, adoptions = fit, adoptions + 1
    assert adoptions == pytest.approx(8, abs=1)
    assert max(abs(o - a) for o, a in zip(fit.offset, adopted.offset, strict=True)) <= FIT_STEP


def test_gain_and_offset_that_cancel_at_white_still_show_at_black():
    assert Fit().differs(Fit((0.9, 1.0, 1.0), (0.1, 0.0, 0.0)))


def test_the_host_sees_the_thumbnail_that_the_device_does():
    frame = source(1, 360, 640)
    rgb = colour.to_rgb_tensor(torch.from_numpy(frame), torch.float32)
    expected = torch.nn.functional.adaptive_avg_pool2d(rgb, THUMBNAIL)[0].permute(1, 2, 0).numpy()
    assert np.abs(colour.thumbnail(frame, *THUMBNAIL) - expected).max() < 2.5 / 255

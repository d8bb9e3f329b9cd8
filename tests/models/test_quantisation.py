"""The base network in bytes: ranges come from pictures, belong to weights, and lose little."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.errors import PictureError, WeightsError
from models.graphs.folding import folded
from models.network import MattingNetwork
from models.quantisation import calibration, pictures, renewal
from models.quantisation.ranges import FEATURES, Ranges, load_ranges, ranges_of
from models.quantisation.rounding import PICTURES, convolutions, rounded
from models.training.scores import score
from models.weights import Card, find_card, load_network, save_weights
from models.weights.card import write_card
from tests.models.random_network import make_network


def some_frames(count: int = 2) -> list[calibration.Frame]:
    torch.manual_seed(3)
    return [(torch.rand(1, 3, 48, 64), torch.rand(1, 3, 48, 64)) for _ in range(count)]


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return make_network()


@pytest.fixture(scope="module")
def ranges(network: MattingNetwork) -> Ranges:
    return calibration.calibrate(network, some_frames())


@pytest.fixture
def folder(tmp_path: Path, network: MattingNetwork) -> Path:
    save_weights(network.state_dict(), "mobilenetv2.test-1", tmp_path, licence="none")
    return tmp_path


def test_every_convolution_of_the_base_network_but_the_first_has_a_range(
    network: MattingNetwork, ranges: Ranges
):
    names = [name for name, _ in convolutions(network)]
    assert len(names) == 61
    assert list(ranges.peaks) == names[7:]
    assert ranges.signed >= {"decoder.conv1", "aspp.convs.0.0"}
    assert "backbone.features.17.conv.2" not in ranges.signed


def test_the_same_pictures_give_the_same_ranges(network: MattingNetwork, ranges: Ranges):
    assert calibration.calibrate(network, some_frames()) == ranges


def test_one_stray_value_does_not_coarsen_all_the_others(network: MattingNetwork):
    counts = torch.zeros(calibration.BINS, dtype=torch.float64)
    counts[: calibration.BINS // 2] = 1e6
    counts[-1] = 1
    assert calibration._best_peak(counts, 10.0, 255) < 7
    counts[-1] = 1e6
    assert calibration._best_peak(counts, 10.0, 255) == 10


def test_the_rounded_network_says_nearly_the_same(network: MattingNetwork, ranges: Ranges):
    source, plate = some_frames(1)[0]
    with torch.inference_mode():
        exact = network.base_stage(source, plate)
        found = rounded(network, ranges).base_stage(source, plate)
    apart = (found - exact).abs().mean() / exact.abs().mean()
    assert 0 < apart < 0.1


def test_weights_are_whole_steps_that_keep_the_sum_of_every_kernel(
    network: MattingNetwork, ranges: Ranges
):
    exact = folded(network).decoder.conv1.weight
    found = rounded(network, ranges).decoder.conv1
    steps = found.convolution.weight / found.steps[:, None, None, None]
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert steps.abs().max() == pytest.approx(64, abs=1e-3)
    apart = (found.convolution.weight - exact) / found.steps[:, None, None, None]
    assert apart.abs().max() <= 1.001
    assert apart.sum((2, 3)).abs().max() <= 0.501


def test_the_pictures_bytes_reach_the_last_convolution_whole(
    network: MattingNetwork, ranges: Ranges
):
    last = rounded(network, ranges).decoder.conv4
    pixels = torch.arange(256).view(1, 1, 16, 16) / 255
    read: list[torch.Tensor] = []
    last.register_forward_hook(lambda module, given, out: read.append(given[0]))
    x = torch.cat([torch.zeros(1, 48, 16, 16), pixels.expand(1, PICTURES, 16, 16)], 1)
    last(x)
    step = torch.fake_quantize_per_tensor_affine(read[0], last.step, 0, 0, 255)
    assert torch.allclose(step, x, atol=1e-6)
    assert ranges.peaks[FEATURES] != 1


def test_ranges_of_another_network_are_refused(network: MattingNetwork, ranges: Ranges):
    other = Ranges({**ranges.peaks, "backbone.conv1": 1.0}, ranges.signed)
    with pytest.raises(ValueError, match=r"no convolution backbone\.conv1"):
        rounded(network, other)


@pytest.mark.parametrize("peak", [0.0, -1.0, float("nan"), float("inf")])
def test_a_range_of_nothing_is_refused(peak: float):
    with pytest.raises(ValueError, match="no range"):
        Ranges({"a": peak}, frozenset())


def test_a_card_keeps_ranges_for_its_own_weights_only(
    folder: Path, ranges: Ranges, caplog: pytest.LogCaptureFixture
):
    card = find_card("mobilenetv2.test-1", (folder,))
    assert ranges_of(card) is None
    path = folder / "mobilenetv2.test-1.toml"
    write_card(replace(card, int8=ranges.table(card.sha256)), path)
    read = ranges_of(find_card(card.name, (folder,)))
    assert read is not None
    assert (read.peaks, read.signed) == (ranges.peaks, ranges.signed)

    write_card(replace(card, int8=ranges.table("0" * 64)), path)
    with pytest.raises(WeightsError, match=r"other weights.*weights calibrate"):
        ranges_of(find_card(card.name, (folder,)))
    with caplog.at_level(logging.WARNING):
        assert load_ranges(folder / "mobilenetv2.test-1.safetensors") is None
    assert "other weights" in caplog.text


def test_calibrating_a_card_again_keeps_what_was_measured_with_the_same_ranges(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pictures, "SIZE", (96, 160))
    card = renewal.renew("mobilenetv2.test-1", scenes=2, folders=(folder,))
    assert ranges_of(find_card(card.name, (folder,))) is not None
    path = folder / "mobilenetv2.test-1.toml"
    write_card(replace(card, int8={**card.int8, "measured": {"scenes": 60}}), path)
    again = renewal.renew("mobilenetv2.test-1", scenes=2, folders=(folder,))
    assert again.int8["ranges"] == card.int8["ranges"]
    assert again.int8["measured"] == {"scenes": 60}
    other = renewal.renew("mobilenetv2.test-1", scenes=3, folders=(folder,))
    assert other.int8["ranges"] != card.int8["ranges"]
    assert "measured" not in other.int8


def test_frames_have_the_sizes_that_a_processors_streams_have():
    sizes = {tuple(source.shape[2:]) for source, _ in pictures.frames(pictures.SHIPPED, 6)}
    assert sizes == {(180, 320), (144, 256), (117, 208)}


def test_a_folder_without_rooms_is_named(tmp_path: Path):
    person = tmp_path / "person.webp"
    person.write_bytes((pictures.SHIPPED / "person-0004.webp").read_bytes())
    with pytest.raises(PictureError, match="no empty rooms"):
        next(pictures.frames(tmp_path, 2))


def test_the_weights_that_ship_by_default_are_proven_to_lose_little():
    ranges = load_ranges("mobilenetv2.rooms-2")
    assert ranges is not None
    assert ranges.proven
    rounded(load_network("mobilenetv2.rooms-2"), ranges)


@pytest.mark.parametrize(
    ("measured", "proven"),
    [
        ({"sets": {"a": {"alpha_mad_more": 0.019}, "b": {"alpha_mad_more": -0.1}}}, True),
        ({"sets": {"a": {"alpha_mad_more": 0.001}, "b": {"alpha_mad_more": 0.02}}}, False),
        ({"sets": {"a": {"alpha_mad_more": 0.001}, "b": {}}}, False),
        ({"sets": {}}, False),
        (None, False),
    ],
)
def test_little_is_below_two_per_cent_in_everything_measured(measured: object, proven: bool):
    made = {"measured": measured} if measured else {}
    assert Ranges({"a": 1.0}, frozenset(), made).proven == proven


def report(card: Card, int8: float) -> dict[str, object]:
    """What `cleanplate evaluate --backend fp32 --backend int8` writes, shortened."""
    entries = [
        {
            "name": f"{card.name} {precision}",
            "sha256": card.sha256,
            "settings": {
                "precision": f"openvino {precision}",
                "base_scale": 0.25,
                "refine_pixels": 80_000,
            },
        }
        for precision in ("fp32", "int8")
    ]
    figures = {
        f"{card.name} fp32": {"alpha_mad": 0.004, "alpha_mse": 0.001},
        f"{card.name} int8": {"alpha_mad": int8, "alpha_mse": 0.001},
    }
    return {
        "command": "cleanplate evaluate",
        "machine": "one",
        "date": "2026-11-26",
        "entries": entries,
        "sets": {"people/paper": figures},
        "scenes": {"people/paper": {"scenes": 60, "size": "1280x720"}},
    }


def test_what_bytes_lose_goes_from_a_report_into_the_card(folder: Path, ranges: Ranges):
    card = find_card("mobilenetv2.test-1", (folder,))
    card = replace(card, scores={"seen": "nothing"}, int8=ranges.table(card.sha256))
    write_card(card, folder / "mobilenetv2.test-1.toml")
    for int8, more, proven in ((0.00404, 0.01, True), (0.0041, 0.025, False)):
        (folder / "report.json").write_text(json.dumps(report(card, int8)))
        fresh = score(card.name, folder / "report.json", folders=(folder,))
        assert fresh.scores == card.scores
        read = ranges_of(find_card(card.name, (folder,)))
        assert read is not None
        found = read.made["measured"]["sets"]["people/paper"]
        assert found["alpha_mad_more"] == pytest.approx(more)
        assert found["scenes"] == 60
        assert read.proven is proven

from pathlib import Path

import numpy as np
import pytest
import torch

from models.network import Matte, MattingConfig, MattingNetwork
from tests.models.published import published_parameters

GOLDEN = Path(__file__).parent.parent / "data" / "golden"


def network(**settings: object) -> MattingNetwork:
    made = MattingNetwork(MattingConfig(**settings)).eval()  # type: ignore[arg-type]
    made.load_state_dict(published_parameters(made))
    return made


def frames(height: int, width: int, count: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(height * width)
    source, plate = torch.rand(2, count, 3, height, width, generator=generator)
    return source, plate


def matte(made: MattingNetwork, source: torch.Tensor, plate: torch.Tensor) -> Matte:
    with torch.inference_mode():
        return made(source, plate)


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max())


@pytest.mark.parametrize(
    ("backbone", "parameters", "entries"),
    [
        ("mobilenetv2", 5_006_839, 382),
        ("resnet50", 40_247_703, 394),
        ("resnet101", 59_239_831, 700),
    ],
)
def test_every_backbone_has_the_parameters_of_the_paper(
    backbone: str, parameters: int, entries: int
) -> None:
    with torch.device("meta"):
        made = MattingNetwork(MattingConfig(backbone=backbone))  # type: ignore[arg-type]
    assert sum(p.numel() for p in made.parameters()) == parameters
    assert len(made.state_dict()) == entries


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("*.npz")), ids=lambda file: file.stem)
def test_outputs_equal_those_of_the_published_network(case: Path) -> None:
    golden = np.load(case)
    backbone, mode = case.stem.split("-")
    made = network(backbone=backbone, refine_mode=mode, refine_pixels=1_600, refine_threshold=0.3)
    found = matte(
        made,
        torch.from_numpy(golden["source"]).float() / 255,
        torch.from_numpy(golden["plate"]).float() / 255,
    )
    for name in ("alpha", "foreground", "coarse_alpha", "coarse_foreground", "coarse_error"):
        assert difference(getattr(found, name), torch.from_numpy(golden[name])) < 1e-4, name
    assert np.array_equal(found.refined.numpy(), golden["refined"])


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("scale", [0.125, 0.25, 0.3, 0.5])
def test_refining_every_patch_equals_refining_everywhere(kernel: int, scale: float) -> None:
    made = network(refine_kernel=kernel, base_scale=scale)
    source, plate = frames(64, 96, count=2)
    everywhere = matte(made.with_settings(refine_mode="full"), source, plate)
    patch_by_patch = matte(
        made.with_settings(refine_pixels=64 * 96, prevent_oversampling=False), source, plate
    )
    assert difference(everywhere.alpha, patch_by_patch.alpha) < 1e-5
    assert difference(everywhere.foreground, patch_by_patch.foreground) < 1e-5
    assert patch_by_patch.refined.all()


@pytest.mark.parametrize("mode", ["sampling", "thresholding", "full"])
def test_an_image_gets_the_same_matte_alone_and_in_a_batch(mode: str) -> None:
    made = network(refine_mode=mode, refine_pixels=800, refine_threshold=0.3)
    source, plate = frames(64, 96, count=3)
    together = matte(made, source, plate)
    for index in range(3):
        alone = matte(made, source[index : index + 1], plate[index : index + 1])
        assert difference(together.alpha[index], alone.alpha[0]) < 1e-5
        assert difference(together.foreground[index], alone.foreground[0]) < 1e-5


@pytest.mark.parametrize("size", [(63, 97), (66, 98), (17, 33), (5, 6)])
@pytest.mark.parametrize("mode", ["sampling", "full"])
def test_any_size_goes_in_and_comes_out(size: tuple[int, int], mode: str) -> None:
    found = matte(network(refine_mode=mode), *frames(*size))
    assert found.alpha.shape == (1, 1, *size)
    assert found.foreground.shape == (1, 3, *size)
    assert found.alpha.isfinite().all()
    assert found.alpha.min() >= 0
    assert found.alpha.max() <= 1


def test_more_patches_than_there_are_means_all_of_them() -> None:
    found = matte(network(refine_pixels=10**9, prevent_oversampling=False), *frames(32, 48))
    assert found.refined.sum() == 8 * 12


def test_sampling_refines_as_many_patches_as_asked() -> None:
    found = matte(network(refine_pixels=160, prevent_oversampling=False), *frames(64, 96, count=2))
    assert found.refined.flatten(1).sum(1).tolist() == [10, 10]


def test_without_refined_patches_the_matte_is_the_coarse_one_enlarged() -> None:
    found = matte(network(refine_pixels=0), *frames(64, 96))
    enlarged = torch.nn.functional.interpolate(found.coarse_alpha, (64, 96), mode="bilinear")
    assert not found.refined.any()
    assert difference(found.alpha, enlarged) < 1e-6


def test_settings_change_without_copying_parameters() -> None:
    made = network()
    other = made.with_settings(base_scale=0.5, refine_pixels=160)
    assert other.config.base_scale == 0.5
    assert made.config.base_scale == 0.25
    assert other.backbone is made.backbone
    assert not other.training


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"backbone": "vgg"}, "backbone"),
        ({"base_scale": 1.0}, "base_scale"),
        ({"refine_mode": "some"}, "refine_mode"),
        ({"refine_pixels": -1}, "refine_pixels"),
        ({"refine_threshold": 2.0}, "refine_threshold"),
        ({"refine_kernel": 5}, "refine_kernel"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        MattingConfig(**settings)  # type: ignore[arg-type]


def test_source_and_plate_of_different_sizes_are_refused() -> None:
    source, _ = frames(64, 96)
    _, plate = frames(64, 100)
    with pytest.raises(ValueError, match="same size"):
        network()(source, plate)

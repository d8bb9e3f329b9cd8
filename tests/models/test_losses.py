import pytest
import torch

from models.network import Coarse, MattingNetwork
from models.training.losses import base_loss, joint_loss, sobel


def ramps() -> tuple[torch.Tensor, torch.Tensor]:
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    return x, y


def test_the_base_loss_equals_the_published_check_vector() -> None:
    x, y = ramps()
    true_alpha = ((x - 2) / 4).clamp(0, 1)[None, None]
    alpha = ((x - 1) / 5).clamp(0, 1)[None, None]
    half = torch.full_like(x, 0.5)
    true_foreground = torch.stack([x / 7, y / 7, half])[None]
    foreground = torch.stack([x / 7, (y / 7 + 0.1).clamp(0, 1), half / 2])[None]
    coarse = Coarse(alpha, foreground, torch.full_like(alpha, 0.1), torch.zeros(1, 32, 8, 8))
    loss = base_loss(coarse, torch.zeros_like(foreground), true_alpha, true_foreground)
    assert float(loss) == pytest.approx(0.18331263, abs=1e-7)


def test_sobel_is_the_gradient_per_pixel() -> None:
    x, _ = ramps()
    row = sobel(((x - 2) / 4).clamp(0, 1)[None, None])[0, 0, 4]
    expected = [0.001, 0.001, 0.125004, 0.250002, 0.250002, 0.250002, 0.125004, 0.001]
    assert row.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_perfect_matte_costs_only_its_error_map() -> None:
    alpha = torch.rand(1, 1, 16, 16)
    foreground = torch.rand(1, 3, 16, 16)
    source = torch.rand(1, 3, 16, 16)
    coarse = Coarse(
        alpha, foreground - source, torch.full_like(alpha, 0.2), torch.zeros(1, 32, 16, 16)
    )
    assert float(base_loss(coarse, source, alpha, foreground)) == pytest.approx(0.04, abs=1e-6)


def test_the_joint_loss_teaches_every_part_of_the_network() -> None:
    network = MattingNetwork().train().with_settings(base_scale=0.5, refine_pixels=640)
    network = network.with_settings(prevent_oversampling=False)
    source, plate = torch.rand(2, 2, 3, 64, 64)
    alpha, foreground = torch.rand(2, 1, 64, 64), torch.rand(2, 3, 64, 64)
    joint_loss(network(source, plate), alpha, foreground).backward()
    for part in (network.backbone, network.aspp, network.decoder, network.refiner):
        gradients = [p.grad for p in part.parameters() if p.grad is not None]
        assert any(bool(g.abs().max() > 0) for g in gradients)

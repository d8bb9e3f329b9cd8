import pytest
import torch
from torch.nn import functional

from models.network import Coarse, Matte, MattingNetwork
from models.network.base import resize
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


def made_up_matte(size: int = 16, scale: int = 2) -> tuple[Matte, torch.Tensor, torch.Tensor]:
    """A matte with its truths, all drawn, at full size and at `1 / scale` of it."""
    torch.manual_seed(1)
    small = size // scale
    matte = Matte(
        alpha=torch.rand(2, 1, size, size),
        foreground=torch.rand(2, 3, size, size),
        coarse_alpha=torch.rand(2, 1, small, small),
        coarse_foreground=torch.rand(2, 3, small, small),
        coarse_error=torch.rand(2, 1, small, small),
        refined=torch.ones(2, 1, size // 4, size // 4, dtype=torch.bool),
    )
    # Half of the frame without anybody, so that masks matter.
    alpha = torch.rand(2, 1, size, size)
    alpha[..., : size // 2 - 1] = 0
    return matte, alpha, torch.rand(2, 3, size, size)


def test_the_joint_loss_is_the_sum_of_its_seven_terms() -> None:
    matte, alpha, foreground = made_up_matte()
    small_alpha = functional.interpolate(alpha, (8, 8), mode="bilinear", align_corners=False)
    small_foreground = functional.interpolate(
        foreground, (8, 8), mode="bilinear", align_corners=False
    )
    full_mask, small_mask = (alpha != 0).float(), (small_alpha != 0).float()
    coarse = functional.interpolate(
        matte.coarse_alpha, (16, 16), mode="bilinear", align_corners=False
    )
    error = functional.interpolate(
        matte.coarse_error, (16, 16), mode="bilinear", align_corners=False
    )
    terms = [
        (matte.alpha - alpha).abs().mean(),
        (matte.coarse_alpha - small_alpha).abs().mean(),
        (sobel(matte.alpha) - sobel(alpha)).abs().mean(),
        (sobel(matte.coarse_alpha) - sobel(small_alpha)).abs().mean(),
        ((matte.foreground - foreground) * full_mask).abs().mean(),
        ((matte.coarse_foreground - small_foreground) * small_mask).abs().mean(),
        (error - (coarse - alpha).abs()).square().mean(),
    ]
    assert len(terms) == 7
    assert float(joint_loss(matte, alpha, foreground)) == pytest.approx(float(sum(terms)), abs=1e-6)


def test_each_scale_has_its_own_mask() -> None:
    matte, alpha, foreground = made_up_matte()
    # The truth ends between two coarse pixels: the coarse mask is wider than the full one.
    small = functional.interpolate(alpha, (8, 8), mode="bilinear", align_corners=False)
    assert not alpha[..., 6].any()
    assert bool((small[..., 3] != 0).all())
    before = float(joint_loss(matte, alpha, foreground))
    wrong = matte.coarse_foreground.clone()
    wrong[..., 3] = 1 - wrong[..., 3]
    assert float(joint_loss(matte._replace(coarse_foreground=wrong), alpha, foreground)) != before
    wrong = matte.foreground.clone()
    wrong[..., 6] = 1 - wrong[..., 6]
    assert float(joint_loss(matte._replace(foreground=wrong), alpha, foreground)) == before


def test_in_the_joint_stage_the_error_map_teaches_the_coarse_alpha_too() -> None:
    matte, alpha, foreground = made_up_matte()
    gradients = []
    for error in (torch.zeros(2, 1, 8, 8), torch.ones(2, 1, 8, 8)):
        coarse = matte.coarse_alpha.clone().requires_grad_()
        joint_loss(
            matte._replace(coarse_alpha=coarse, coarse_error=error), alpha, foreground
        ).backward()
        gradients.append(coarse.grad)
    assert gradients[0] is not None
    assert gradients[1] is not None
    assert not torch.allclose(gradients[0], gradients[1])


def test_in_the_base_stage_the_error_map_leaves_the_alpha_alone() -> None:
    source, foreground, residual = torch.rand(3, 2, 3, 16, 16)
    drawn, true_alpha = torch.rand(2, 2, 1, 16, 16)
    gradients = []
    for error in (torch.zeros_like(drawn), torch.ones_like(drawn)):
        alpha = drawn.clone().requires_grad_()
        coarse = Coarse(alpha, residual, error, torch.zeros(2, 32, 16, 16))
        base_loss(coarse, source, true_alpha, foreground).backward()
        gradients.append(alpha.grad)
    assert gradients[0] is not None
    assert gradients[1] is not None
    assert torch.equal(gradients[0], gradients[1])


def test_the_error_map_is_compared_at_full_size() -> None:
    matte, alpha, foreground = made_up_matte()
    full = (resize(matte.coarse_alpha, (16, 16)) - alpha).abs()
    right, wrong = resize(full, (8, 8)), 1 - resize(full, (8, 8))
    losses = [
        float(joint_loss(matte._replace(coarse_error=error), alpha, foreground))
        for error in (right, wrong)
    ]
    assert losses[0] < losses[1]
    # Not even the best coarse map meets every pixel of the full one.
    perfect = Matte(alpha, foreground, resize(alpha, (8, 8)), resize(foreground, (8, 8)), right,
                    matte.refined)  # fmt: skip
    assert float(joint_loss(perfect, alpha, foreground)) > 0

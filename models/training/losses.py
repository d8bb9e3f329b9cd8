"""The paper's losses (section 4, equations 1 to 5), as its authors trained them.

Means are taken over all elements of a tensor. Tensors are N x C x H x W in 0..1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from models.network import Coarse, Matte
from models.network.base import resize

# Keeps the square root differentiable where the gradient is 0, as in the published training.
_EPSILON = 1e-6


def sobel(x: Tensor) -> Tensor:
    """Gradient magnitude (N, C, H, W) of `x`: Sobel kernels over 8, replicated border."""
    channels = x.shape[1]
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
    kernels = torch.stack([across, across.t()]).unsqueeze(1).to(x)
    padded = functional.pad(x.reshape(-1, 1, *x.shape[2:]), (1, 1, 1, 1), mode="replicate")
    gradient = functional.conv2d(padded, kernels)
    magnitude = gradient.square().sum(1).add(_EPSILON).sqrt()
    return magnitude.view(-1, channels, *x.shape[2:])


def matte_loss(
    alpha: Tensor, foreground: Tensor, true_alpha: Tensor, true_foreground: Tensor
) -> Tensor:
    """L1 on alpha, on its Sobel gradient, and on the foreground where there is any."""
    mask = true_alpha != 0
    return (
        functional.l1_loss(alpha, true_alpha)
        + functional.l1_loss(sobel(alpha), sobel(true_alpha))
        + functional.l1_loss(foreground * mask, true_foreground * mask)
    )


def base_loss(
    coarse: Coarse, source: Tensor, true_alpha: Tensor, true_foreground: Tensor
) -> Tensor:
    """Base stage: the matte, and the squared error of the error map, whose target is detached."""
    foreground = (coarse.residual + source).clamp(0, 1)
    true_error = (coarse.alpha.detach() - true_alpha).abs()
    return matte_loss(coarse.alpha, foreground, true_alpha, true_foreground) + functional.mse_loss(
        coarse.error, true_error
    )


def joint_loss(matte: Matte, true_alpha: Tensor, true_foreground: Tensor) -> Tensor:
    """Joint stage: the matte at both scales and the error map at full size, target not detached."""
    size = (true_alpha.shape[2], true_alpha.shape[3])
    small = (matte.coarse_alpha.shape[2], matte.coarse_alpha.shape[3])
    true_error = (resize(matte.coarse_alpha, size) - true_alpha).abs()
    return (
        matte_loss(matte.alpha, matte.foreground, true_alpha, true_foreground)
        + matte_loss(
            matte.coarse_alpha,
            matte.coarse_foreground,
            resize(true_alpha, small),
            resize(true_foreground, small),
        )
        + functional.mse_loss(resize(matte.coarse_error, size), true_error)
    )

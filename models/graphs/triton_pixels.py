"""The full-size work as two kernels of Triton, for what plain torch reads and writes thirty times.

Importing this needs Triton, which comes with torch for CUDA. Each kernel reads its inputs once and
writes its outputs once: at HD in fp16 3 MB in and 12 MB out, then 29 MB in and 7 MB out.
"""

from __future__ import annotations

from typing import Final

import torch
import triton
import triton.language as tl
from torch import Tensor

from models.colour import MATRIX

COLUMNS: Final = 256
"""Pixels of a row that one program works on."""


class TritonPixels:
    """See `models.graphs.pixels.Pixels`."""

    name = "triton"

    def to_rgb(self, frames: Tensor, dtype: torch.dtype) -> Tensor:
        """See `Pixels`."""
        count, height, width = frames.shape[0], frames.shape[1] * 2 // 3, frames.shape[2]
        rgb = torch.empty((count, 3, height, width), dtype=dtype, device=frames.device)
        grid = (triton.cdiv(width, COLUMNS), height, count)
        _to_rgb[grid](frames, rgb, height, width, **_matrix(), COLUMNS=COLUMNS)
        return rgb

    def compose(
        self, rgb: Tensor, coarse: Tensor, which: Tensor, values: Tensor, backdrop: Tensor,
        out: Tensor,
    ) -> Tensor:  # fmt: skip
        """See `Pixels`."""
        count, _, height, width = rgb.shape
        rows, columns = which.shape[1:]
        alpha = torch.empty((count, 1, height, width), dtype=rgb.dtype, device=rgb.device)
        grid = (triton.cdiv(width, COLUMNS), height // 2, count)
        _compose[grid](
            rgb, coarse.contiguous(), which, values.contiguous(), backdrop, out, alpha,
            height, width, coarse.shape[2], coarse.shape[3],
            coarse.shape[2] / (4 * rows), coarse.shape[3] / (4 * columns), rows, columns,
            **_matrix(), COLUMNS=COLUMNS, HALF=COLUMNS // 2,
        )  # fmt: skip
        return alpha


def _matrix() -> dict[str, float]:
    """Of `models.colour`, as the kernels' constants."""
    return {
        "RED": MATRIX.red,
        "GREEN": MATRIX.green,
        "BLUE": MATRIX.blue,
        "BLACK": MATRIX.black,
        "LUMA": MATRIX.luma_steps,
        "CHROMA": MATRIX.chroma_steps,
    }


# Triton takes annotations for its own: only its constants have one.


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _to_rgb(  # type: ignore[no-untyped-def]
    frames, rgb, height, width,
    RED: tl.constexpr, GREEN: tl.constexpr, BLUE: tl.constexpr,
    BLACK: tl.constexpr, LUMA: tl.constexpr, CHROMA: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """One row's part of one frame; each chroma sample colours its 2x2 pixels."""
    x = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    y = tl.program_id(1)
    image = tl.program_id(2).to(tl.int64)
    there = x < width
    plane = height * width
    frame = frames + image * (plane * 3 // 2)
    luma = (tl.load(frame + y * width + x, mask=there, other=0).to(tl.float32) - BLACK) / LUMA
    corner = plane + (y // 2) * (width // 2) + x // 2
    cb = (tl.load(frame + corner, mask=there, other=0).to(tl.float32) - 128.0) / CHROMA
    cr = tl.load(frame + corner + plane // 4, mask=there, other=0).to(tl.float32)
    cr = (cr - 128.0) / CHROMA
    red = luma + 2.0 * (1.0 - RED) * cr
    blue = luma + 2.0 * (1.0 - BLUE) * cb
    green = (luma - RED * red - BLUE * blue) / GREEN
    out = rgb + image * 3 * plane + y * width + x
    kind = rgb.dtype.element_ty
    tl.store(out, tl.minimum(tl.maximum(red, 0.0), 1.0).to(kind), mask=there)
    tl.store(out + plane, tl.minimum(tl.maximum(green, 0.0), 1.0).to(kind), mask=there)
    tl.store(out + 2 * plane, tl.minimum(tl.maximum(blue, 0.0), 1.0).to(kind), mask=there)


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _found(  # type: ignore[no-untyped-def]
    coarse, upper_left, upper_right, lower_left, lower_right, down, across,
    values, refined, there,
):  # fmt: skip
    """One channel of alpha and residual: bilinear between four pixels, or a refined patch's."""
    wanted = there & (refined == 0)
    a = tl.load(coarse + upper_left, mask=wanted, other=0.0).to(tl.float32)
    b = tl.load(coarse + upper_right, mask=wanted, other=0.0).to(tl.float32)
    c = tl.load(coarse + lower_left, mask=wanted, other=0.0).to(tl.float32)
    d = tl.load(coarse + lower_right, mask=wanted, other=0.0).to(tl.float32)
    upper = a + (b - a) * across
    lower = c + (d - c) * across
    better = tl.load(values, mask=there & (refined != 0), other=0.0).to(tl.float32)
    return tl.where(refined != 0, better, upper + (lower - upper) * down)


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _mixed(residual, source, backdrop, alpha, there):  # type: ignore[no-untyped-def]
    """One channel of the composite."""
    foreground = tl.load(source, mask=there, other=0.0).to(tl.float32) + residual
    foreground = tl.minimum(tl.maximum(foreground, 0.0), 1.0)
    behind = tl.load(backdrop, mask=there, other=0.0).to(tl.float32)
    return behind + (foreground - behind) * alpha


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _compose(  # type: ignore[no-untyped-def]
    rgb, coarse, which, values, backdrop, out, alphas,
    height, width, small_height, small_width, scale_down, scale_across, rows, columns,
    RED: tl.constexpr, GREEN: tl.constexpr, BLUE: tl.constexpr,
    BLACK: tl.constexpr, LUMA: tl.constexpr, CHROMA: tl.constexpr,
    COLUMNS: tl.constexpr, HALF: tl.constexpr,
):  # fmt: skip
    """Two rows' part of one frame, so that chroma is the mean of 2x2 pixels."""
    x = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    y = tl.program_id(1) * 2 + tl.arange(0, 2)[:, None]
    image = tl.program_id(2).to(tl.int64)
    there = (x < width) & (y < height)
    plane = height * width
    pixel = y * width + x

    cell = image * rows * columns + (y // 4) * columns + x // 4
    patch = tl.load(which + cell, mask=there, other=-1).to(tl.int64)
    refined = (patch >= 0).to(tl.int32)
    value = values + tl.where(patch >= 0, patch, 0) * 64 + (y % 4) * 4 + x % 4

    # Half-pixel centres, as interpolate(align_corners=False) has them.
    exact_y = tl.maximum((y.to(tl.float32) + 0.5) * scale_down - 0.5, 0.0)
    exact_x = tl.maximum((x.to(tl.float32) + 0.5) * scale_across - 0.5, 0.0)
    top = tl.minimum(exact_y.to(tl.int32), small_height - 1)
    left = tl.minimum(exact_x.to(tl.int32), small_width - 1)
    down = exact_y - top.to(tl.float32)
    across = exact_x - left.to(tl.float32)
    bottom = tl.minimum(top + 1, small_height - 1)
    right = tl.minimum(left + 1, small_width - 1)
    upper_left, upper_right = top * small_width + left, top * small_width + right
    lower_left, lower_right = bottom * small_width + left, bottom * small_width + right
    small = small_height * small_width
    found = coarse + image * 4 * small

    alpha = _found(
        found, upper_left, upper_right, lower_left, lower_right, down, across,
        value, refined, there,
    )  # fmt: skip
    alpha = tl.minimum(tl.maximum(alpha, 0.0), 1.0)
    tl.store(alphas + image * plane + pixel, alpha.to(alphas.dtype.element_ty), mask=there)

    source = rgb + image * 3 * plane + pixel
    behind = backdrop + image * 3 * plane + pixel
    residual = _found(
        found + small, upper_left, upper_right, lower_left, lower_right, down, across,
        value + 16, refined, there,
    )  # fmt: skip
    red = _mixed(residual, source, behind, alpha, there)
    residual = _found(
        found + 2 * small, upper_left, upper_right, lower_left, lower_right, down, across,
        value + 32, refined, there,
    )  # fmt: skip
    green = _mixed(residual, source + plane, behind + plane, alpha, there)
    residual = _found(
        found + 3 * small, upper_left, upper_right, lower_left, lower_right, down, across,
        value + 48, refined, there,
    )  # fmt: skip
    blue = _mixed(residual, source + 2 * plane, behind + 2 * plane, alpha, there)

    luma = RED * red + GREEN * green + BLUE * blue
    cb = (blue - luma) / (2.0 * (1.0 - BLUE))
    cr = (red - luma) / (2.0 * (1.0 - RED))
    frame = out + image * (plane * 3 // 2)
    tl.store(frame + pixel, tl.floor(luma * LUMA + BLACK + 0.5).to(tl.uint8), mask=there)

    cb = tl.sum(tl.sum(tl.reshape(cb, (2, HALF, 2)), 2), 0) / 4.0
    cr = tl.sum(tl.sum(tl.reshape(cr, (2, HALF, 2)), 2), 0) / 4.0
    chroma_x = tl.program_id(0) * HALF + tl.arange(0, HALF)
    chroma = plane + tl.program_id(1) * (width // 2) + chroma_x
    seen = chroma_x < width // 2
    tl.store(frame + chroma, tl.floor(cb * CHROMA + 128.5).to(tl.uint8), mask=seen)
    tl.store(frame + chroma + plane // 4, tl.floor(cr * CHROMA + 128.5).to(tl.uint8), mask=seen)

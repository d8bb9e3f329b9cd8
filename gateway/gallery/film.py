"""From linear light to a JPEG: exposure, tone curve, vignette, grain against banding."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Field, Light, blur

HEAVIEST = 390_000
"""Bytes; a page shows all backdrops' thumbnails and a worker holds the pictures."""


def aperture(canvas: Canvas, radius: float, blades: int = 0) -> Field:
    """The shape a point of light takes out of focus, sum 1; `radius` in units of the height.

    A disc, or a rounded polygon with `blades` corners; slightly brighter at the rim, as lenses
    with some spherical aberration draw it.
    """
    reach = max(0.5, canvas.pixels(radius))
    span = np.arange(-int(reach + 2), int(reach + 2) + 1, dtype=np.float32)
    x, y = np.meshgrid(span, span)
    distance = np.hypot(x, y)
    edge = np.full_like(distance, reach)
    if blades:
        angle = np.arctan2(y, x) + 0.3
        sector = 2 * np.pi / blades
        offset = np.mod(angle, sector) - sector / 2
        polygon = np.cos(sector / 2) / np.cos(offset)
        edge = reach * (0.45 + 0.55 * polygon)
    inside = np.clip(edge - distance + 0.5, 0, 1)
    shape = inside * (0.85 + 0.35 * (distance / reach) ** 4)
    return np.asarray(shape / shape.sum(), dtype=np.float32)


def defocus(light: Light, canvas: Canvas, radius: float, blades: int = 0) -> Light:
    """Photograph `light` out of focus; works on linear light so that lamps become discs."""
    kernel = aperture(canvas, radius, blades)
    return np.asarray(
        cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )


def develop(
    light: Light,
    canvas: Canvas,
    *,
    exposure: float = 1.0,
    vignette: float = 0.15,
    bloom: float = 0.06,
    grain: float = 0.9,
) -> NDArray[np.uint8]:
    """Linear light to sRGB bytes, H x W x 3 RGB.

    `vignette` darkens the corners by that share, `bloom` spreads that share of the light as a
    lens does, `grain` is its standard deviation in steps of the 8-bit result: enough to hide the
    steps themselves in skies and walls.
    """
    exposed = light * np.float32(exposure)
    glow = blur(exposed, canvas.pixels(0.03)) * 0.6 + blur(exposed, canvas.pixels(0.1)) * 0.4
    exposed = exposed * (1 - bloom) + glow * bloom
    x, y = canvas.axes()
    distance = ((x / canvas.aspect - 0.5) ** 2 + (y - 0.5) ** 2) * 2
    exposed = np.maximum(exposed * (1 - vignette * distance[..., None]), 0)
    # Tone curve: Narkowicz's fit of the ACES reference curve; highlights roll off, blacks hold.
    toned = exposed * (2.51 * exposed + 0.03) / (exposed * (2.43 * exposed + 0.59) + 0.14)
    toned = np.clip(toned, 0, 1)
    encoded = np.where(toned <= 0.0031308, toned * 12.92, 1.055 * toned ** (1 / 2.4) - 0.055)
    steps = encoded * 255
    # The grain is slightly coarser than a pixel: video encoders keep it, and it costs less.
    noise = canvas.random.normal(0, 1, (canvas.height, canvas.width)).astype(np.float32)
    noise = blur(noise, 0.55)
    noise *= np.float32(grain) / noise.std()
    steps += noise[..., None]
    steps += canvas.random.uniform(-0.5, 0.5, steps.shape).astype(np.float32)
    return np.clip(np.round(steps), 0, 255).astype(np.uint8)


def jpeg(rgb: NDArray[np.uint8], heaviest: int = HEAVIEST) -> bytes:
    """The best JPEG of `rgb` that weighs at most `heaviest` bytes."""
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    for quality in range(94, 49, -2):
        flags = [
            cv2.IMWRITE_JPEG_QUALITY,
            quality,
            cv2.IMWRITE_JPEG_OPTIMIZE,
            1,
            cv2.IMWRITE_JPEG_PROGRESSIVE,
            1,
        ]
        written, data = cv2.imencode(".jpg", bgr, flags)
        if written and data.size <= heaviest:
            return data.tobytes()
    raise ValueError(f"the picture does not fit into {heaviest} bytes: give it less grain")

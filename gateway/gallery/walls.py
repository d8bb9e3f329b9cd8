"""Backdrops that are surfaces: canvas, paper, concrete, plaster, linen, and soft colour."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Canvas, Field, Light, blur, colour, mix, ramp, smooth, step
from .film import defocus


def _relief(height: Field, canvas: Canvas, depth: float) -> Field:
    """Shading of a bumpy wall lit from the upper left, about 1 where it is flat."""
    steep = np.float32(depth * canvas.height)
    down, across = np.gradient(height)
    return np.asarray(1 - steep * (0.8 * across + 0.6 * down), dtype=np.float32)


def studio(canvas: Canvas) -> Light:
    """A hand-painted canvas in a portrait studio, lit from the front."""
    x, y = canvas.grid()
    warped = canvas.clouds(1.6, 6, 0.5) + 0.35 * canvas.clouds(9, 5, 0.6)
    tone = np.clip(0.5 + 0.36 * warped, 0, 1).astype(np.float32)
    light = ramp(tone, (0.0, "#4f5a63"), (0.45, "#76818a"), (0.75, "#99a1a6"), (1.0, "#b7b8b4"))
    away = np.hypot((x - 0.5 * canvas.aspect) / 1.15, (y - 0.42) / 0.95)
    fall = 0.30 + 0.95 * np.exp(-((away / 0.52) ** 2))
    brush = 1 + 0.035 * canvas.clouds(90, 3, 0.7, stretch=0.5)
    light = light * (fall * brush)[..., None] * np.array([1.03, 1.0, 0.96], np.float32)
    return defocus(light.astype(np.float32), canvas, 0.003)


def dusk(canvas: Canvas) -> Light:
    """Soft colour without a subject: indigo, coral and peach running into each other."""
    x, y = canvas.grid()
    x = x / canvas.aspect
    bent_x = x + 0.22 * canvas.clouds(1.4, 2, 0.4) + 0.06 * np.sin(y * 5 + 1)
    bent_y = y + 0.22 * canvas.clouds(1.4, 2, 0.4) + 0.06 * np.sin(x * 6)
    spots = (
        (0.05, 0.10, 0.50, "#1d2b64"), (0.40, 0.00, 0.42, "#3a4fa3"), (0.95, 0.05, 0.45, "#22336f"),
        (0.75, 0.35, 0.34, "#7a5fb5"), (0.20, 0.55, 0.36, "#4b6fc0"), (0.55, 0.60, 0.30, "#d4788f"),
        (0.95, 0.75, 0.40, "#f2a07b"), (0.70, 1.00, 0.36, "#ffc59b"), (0.30, 1.05, 0.42, "#a65f9e"),
        (0.00, 1.00, 0.40, "#33407f"),
    )  # fmt: skip
    total = np.zeros((*x.shape, 3), np.float32)
    weight = np.full_like(x, 1e-6)
    for spot_x, spot_y, reach, code in spots:
        near = np.exp(-(((bent_x - spot_x) * 1.2) ** 2 + (bent_y - spot_y) ** 2) / reach**2 * 2.6)
        total += near[..., None] * colour(code)
        weight += near
    fold = 1 + 0.10 * np.sin((bent_x * 2.2 + bent_y * 3.1) * 3.1)
    return np.asarray(total / weight[..., None] * fold[..., None], dtype=np.float32)


def paper(canvas: Canvas) -> Light:
    """Sheets of coloured paper, cut in waves and stacked, each with its shadow."""
    x, y = canvas.grid()
    fibre = canvas.clouds(240, 2, 0.7) + 0.5 * canvas.clouds(40, 4, 0.6, stretch=2)
    light = np.broadcast_to(colour("#f3e6d8"), (*x.shape, 3)).astype(np.float32)
    sheets = (
        ("#f0d3c0", 0.30, 0.9), ("#e8b49c", 0.43, 1.2), ("#d98b79", 0.55, 0.8),
        ("#a9646c", 0.66, 1.1), ("#6d4a66", 0.77, 0.9), ("#3f3a5c", 0.885, 1.3),
    )  # fmt: skip
    for code, base, waves in sheets:
        phase = canvas.random.uniform(0, 6.28)
        sway = np.sin(x * waves * 2.2 + phase) + 0.45 * np.sin(x * waves * 4.1 + phase * 1.7)
        below = y - (base + 0.050 * sway)
        lift = canvas.pixels(0.022)
        shadow = blur(step(-0.004, 0.004, below + 0.010), lift)
        light = light * (1 - 0.50 * shadow * step(0.02, -0.01, below))[..., None]
        cover = np.clip(below * canvas.height + 0.5, 0, 1)
        rim = np.exp(-np.maximum(below, 0) / 0.0022) * 0.10
        sheet = colour(code) * (1.04 - 0.25 * np.clip(below, 0, 0.4) + rim)[..., None]
        light = mix(light, sheet.astype(np.float32), cover)
    lamp = 0.82 + 0.32 * np.exp(-np.hypot(x - 0.35, y - 0.1) / 0.9)
    return np.asarray(light * (lamp * (1 + 0.030 * fibre))[..., None], dtype=np.float32)


def _window(canvas: Canvas, soft: float) -> Field:
    """Sun through a window of eight panes, thrown aslant onto a wall; 0..1."""
    x, y = canvas.grid()
    across = (x - 0.62) * 1.05 + (y - 0.5) * 0.36
    down = (y - 0.46) * 1.1 - (x - 0.62) * 0.20
    pane_x, pane_y = across / 0.24, down / 0.30
    inside = (np.abs(across - 0.24) < 0.48) & (np.abs(down) < 0.60)
    bars = (np.abs(pane_x - np.round(pane_x)) > 0.055) & (np.abs(pane_y - np.round(pane_y)) > 0.045)
    return blur((inside & bars).astype(np.float32), canvas.pixels(soft))


def concrete(canvas: Canvas) -> Light:
    """A board-formed wall with the afternoon sun on it."""
    x, y = canvas.grid()
    cloud = canvas.clouds(2.5, 7, 0.55)
    light = ramp(
        np.clip(0.5 + 0.55 * cloud, 0, 1), (0.0, "#77736d"), (0.5, "#948f88"), (1.0, "#aca79f")
    )
    bumps = canvas.clouds(30, 5, 0.6) * 0.0016
    for joint in (0.30, 0.98, 1.66):
        gap = np.abs(x - joint)
        bumps = bumps - 0.006 * np.exp(-((gap / 0.0035) ** 2))
    for joint in (0.335, 0.875):
        bumps = bumps - 0.006 * np.exp(-((np.abs(y - joint) / 0.0035) ** 2))
    for hole_x in (0.42, 0.86, 1.10, 1.54):
        for hole_y in (0.12, 0.55, 0.78):
            away = np.hypot(x - hole_x, y - hole_y)
            bumps = bumps - 0.012 * step(0.013, 0.009, away)
            light = light * (1 - 0.35 * step(0.013, 0.009, away))[..., None]
    relief = np.clip(_relief(bumps.astype(np.float32), canvas, 0.9), 0.4, 1.6)
    sun = 0.75 * _window(canvas, 0.010) + 0.25 * _window(canvas, 0.03)
    ambient = 0.34 + 0.12 * (1 - y)
    shine = colour("#ffdcb2") * 1.25 * sun[..., None] + colour("#b9c8dd") * ambient[..., None]
    return defocus((light * shine * relief[..., None]).astype(np.float32), canvas, 0.0042)


def _frond(
    canvas: Canvas, mask: Field, foot: tuple[float, float], angle: float, long: float
) -> None:
    """Draw one palm frond into a mask, in place."""
    steps = np.linspace(0, 1, 34)
    bend = canvas.random.uniform(-0.9, 0.9)
    heading = angle + bend * steps
    spine_x = foot[0] + np.cumsum(np.cos(heading)) * long / 34
    spine_y = foot[1] + np.cumsum(np.sin(heading)) * long / 34
    for i in range(3, 34):
        reach = long * 0.42 * np.sin(np.pi * (0.12 + 0.86 * steps[i])) ** 0.8
        for side in (-1, 1):
            lean = heading[i] + side * (1.05 - 0.5 * steps[i]) + canvas.random.normal(0, 0.05)
            tip = (spine_x[i] + np.cos(lean) * reach, spine_y[i] + np.sin(lean) * reach)
            normal = (-np.sin(lean) * long * 0.016, np.cos(lean) * long * 0.016)
            half = (
                spine_x[i] + np.cos(lean) * reach * 0.4,
                spine_y[i] + np.sin(lean) * reach * 0.4,
            )
            leaf = np.array(
                [
                    (spine_x[i], spine_y[i]),
                    (half[0] + normal[0], half[1] + normal[1]),
                    tip,
                    (half[0] - normal[0], half[1] - normal[1]),
                ]
            )
            points = np.round(leaf * canvas.height * 16).astype(np.int32)
            cv2.fillPoly(mask, [points], 1.0, cv2.LINE_AA, 4)


def terracotta(canvas: Canvas) -> Light:
    """A plastered wall in the sun, shadows of palm leaves across it."""
    x, y = canvas.grid()
    cloud = canvas.clouds(2.0, 6, 0.5) + 0.25 * canvas.clouds(14, 4, 0.6, stretch=1.6)
    light = ramp(
        np.clip(0.5 + 0.55 * cloud, 0, 1), (0.0, "#b4694b"), (0.5, "#c98160"), (1.0, "#dba07f")
    )
    trowel = canvas.clouds(7, 6, 0.55, stretch=1.8) * 0.0042
    relief = np.clip(_relief(trowel, canvas, 0.8), 0.6, 1.5)
    shade = np.zeros_like(x)
    for count, soft, long in ((3, 0.022, 0.75), (4, 0.008, 0.62)):
        mask = np.zeros_like(x)
        for _ in range(count):
            left = canvas.random.random() < 0.55
            foot = (
                -0.12 if left else canvas.aspect + 0.12,
                canvas.random.uniform(-0.1, 0.75),
            )
            angle = canvas.random.uniform(-0.35, 0.55)
            _frond(canvas, mask, foot, angle if left else np.pi - angle, long)
        shade = np.maximum(shade, blur(mask, canvas.pixels(soft)))
    sunny = 0.88 + 0.30 * np.exp(-np.hypot(x - 0.95, y - 0.25) / 0.8)
    sun = (1 - 0.88 * np.clip(shade, 0, 1)) * sunny
    shine = colour("#fff0d8") * 0.95 * sun[..., None] + colour("#8fa3c8") * 0.24
    return defocus((light * shine * relief[..., None]).astype(np.float32), canvas, 0.003)


def linen(canvas: Canvas) -> Light:
    """A pale curtain in front of a bright window, hanging in folds."""
    x, y = canvas.grid()
    sway = x + 0.018 * np.sin(y * 2.1 + 0.6) + 0.012 * canvas.clouds(1.5, 2)
    phase = sway * 21 + 2.6 * canvas.line(4, 3)[None, :]
    fold = 0.5 + 0.5 * np.sin(phase)
    sharp = fold**1.6 * 0.75 + 0.25 * smooth(0.5 + 0.5 * np.sin(phase * 2.3 + 1.3))
    behind = np.exp(-(np.hypot((x - 1.25) / 0.85, (y - 0.38) / 0.8) ** 2))
    bars = 1 - 0.22 * np.exp(-((np.mod(x - 0.33, 0.62) - 0.31) ** 2) / 0.0011)
    tint = ramp(sharp, (0.0, "#9a8f86"), (0.45, "#cfc6bb"), (1.0, "#f3ede3"))
    weave = 1 + 0.02 * canvas.noise(300, 0.4) + 0.02 * canvas.noise(300, 3.0)
    glow = (0.38 + 0.75 * behind) * bars * weave
    warm = mix(np.broadcast_to(colour("#cfd8e6"), tint.shape), colour("#fff1dc"), behind)
    return defocus((tint * warm * glow[..., None]).astype(np.float32), canvas, 0.004)

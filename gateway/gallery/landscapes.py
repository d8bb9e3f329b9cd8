"""Backdrops that are places outdoors: hills at sunset, the ocean, northern lights, a night city."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Canvas, Field, Light, blur, colour, mix, ramp, sample, smooth, step
from .film import defocus


def hills(canvas: Canvas) -> Light:
    """A low sun behind seven ridges, mist between them."""
    x, y = canvas.grid()
    horizon = 0.56
    light = ramp(
        y / horizon,
        (0.0, "#3d5a8c"), (0.35, "#7c8db5"), (0.62, "#d9a9a4"), (0.82, "#f6b98a"), (1.0, "#ffd6a3"),
    )  # fmt: skip
    sun_x, sun_y = 0.63 * canvas.aspect, 0.47
    away = np.hypot((x - sun_x) * 0.9, y - sun_y)
    glow = np.exp(-away / 0.10) * 0.9 + np.exp(-away / 0.38) * 0.35
    light += glow[..., None] * colour("#ffb070")
    streaks = step(0.05, 0.75, canvas.clouds(5, 5, stretch=6)) * step(0.5, 0.2, y)
    light = mix(light, light * 0.55 + colour("#ffc9a0") * 0.55, streaks * 0.55)
    light += step(0.034, 0.028, away)[..., None] * colour("#fff0cf") * 5.0
    ridges = 7
    for ridge in range(ridges):
        near = ridge / (ridges - 1)
        base = horizon - 0.03 + 0.46 * near**1.35
        rough = 0.10 + 0.05 * near
        outline = canvas.line(2.2 + 1.5 * (1 - near), 7, 0.48)
        crest = base - rough * outline - 0.02
        valley = crest
        if near > 0.6:  # firs on the nearer ridges
            spikes = np.abs(canvas.line(150 * (1.7 - near), 2, 0.6))
            crest = crest - (0.010 + 0.030 * (near - 0.6)) * spikes
        below = y - crest[None, :]
        cover = np.clip(canvas.pixels(1) * below / (1.5 + 2.0 * near) + 0.5, 0, 1)
        haze = colour("#f3b48a") * (1 - near) + colour("#8a7f9e") * near
        stone = colour("#8d7590") * (1 - near) ** 1.5 + colour("#171c2e") * (1 - (1 - near) ** 1.5)
        lit = np.exp(-np.abs(x - sun_x) / 0.5) * (1 - near) * 0.35
        body = stone + lit[..., None] * colour("#ffb27a")
        under = y - valley[None, :] + 0.03 * canvas.clouds(5, 3, stretch=4)
        mist = step(0.02, 0.22 - 0.05 * near, under)
        thick = (mist * (0.75 - 0.62 * near)).astype(np.float32)
        body = mix(np.broadcast_to(body, light.shape), (haze * 0.85).astype(np.float32), thick)
        light = mix(light, body.astype(np.float32), cover.astype(np.float32))
    return defocus(light, canvas, 0.0035)


def _sky(up: Field, aside: Field) -> Light:
    """The evening sky over the ocean: `up` 0 at the horizon, `aside` from the sun."""
    sky = ramp(
        np.clip(up, 0, 1),
        (0.0, "#ffd9ae"), (0.10, "#ffc79f"), (0.28, "#e9b3ac"), (0.55, "#9fb0cf"), (1.0, "#5d84b8"),
    )  # fmt: skip
    away = np.hypot(aside, up - 0.13)
    sky += (np.exp(-away / 0.09) * 1.4 + np.exp(-away / 0.4) * 0.3)[..., None] * colour("#ffbe7d")
    return np.asarray(sky, dtype=np.float32)


def ocean(canvas: Canvas) -> Light:
    """Open water under an evening sky; the waves mirror the sky they face."""
    x, y = canvas.grid()
    horizon, sun_x = 0.54, 0.34 * canvas.aspect
    light = _sky((horizon - y) / horizon, x - sun_x)
    away = np.hypot(x - sun_x, horizon - 0.07 - y)
    bank = step(0.0, 0.7, canvas.clouds(4, 6, stretch=5) + 0.25 - 1.2 * np.abs(y - 0.24))
    shade = light * 0.62 + colour("#c9a4b0") * 0.18
    light = mix(
        light, shade + np.exp(-away / 0.3)[..., None] * colour("#ffb98a") * 0.35, bank * 0.8
    )
    light += step(0.036, 0.031, away)[..., None] * colour("#fff1d0") * 5.0
    # Waves: sums of sines in world coordinates, left out where they are finer than a pixel.
    depth = 0.35 / np.maximum(y - horizon, 0.0012)
    world_x, world_z = (x - canvas.aspect / 2) * depth, depth
    slope_x, slope_z = np.zeros_like(x), np.zeros_like(x)
    for wave in range(46):
        length = 2.6 * 0.905**wave
        angle = canvas.random.normal(0, 0.55)
        kx, kz = np.sin(angle) / length * 6.28, np.cos(angle) / length * 6.28
        phase = canvas.random.uniform(0, 6.28)
        footprint = depth * depth / 0.35 / canvas.height * abs(kz) + depth / canvas.height * abs(kx)
        fade = np.exp(-(footprint**2) * 0.5)
        height = 0.030 * np.cos(world_x * kx + world_z * kz + phase) * fade
        slope_x += height * np.sin(angle)
        slope_z += height * np.cos(angle)
    grazing = np.maximum(y - horizon, 0.0)
    up = np.clip(grazing * 0.9 + 0.05 + np.abs(slope_z * 2.2 + 0.12) * 1.0, 0.0, 1.0)
    mirrored = _sky(up, (x - sun_x) * 0.75 + slope_x * 3.2)
    glitter = np.exp(-np.abs(x - sun_x + slope_x * 2.4) / (0.035 + 0.20 * grazing))
    glitter *= step(0.02, 0.12, np.abs(slope_z)) * np.exp(-grazing / 0.28)
    fresnel = 0.30 + 0.55 * np.exp(-grazing / 0.12)
    water = mirrored * fresnel[..., None] + colour("#16425e") * (1 - fresnel)[..., None] * 0.9
    water += glitter[..., None] * colour("#ffc68c") * 1.5
    edge = np.clip((y - horizon) * canvas.height / 1.5 + 0.5, 0, 1)
    light = mix(light, water.astype(np.float32), edge)
    return defocus(light, canvas, 0.005)


def _curtain(canvas: Canvas, base: float, drift: float, high: float, bright: float) -> Light:
    """One fold of northern light: sharp below, fading upwards, streaked by rays."""
    x, y = canvas.grid()
    line = base + drift * (x / canvas.aspect - 0.5) + 0.10 * canvas.line(2.0, 3, 0.45)[None, :]
    rays = 0.55 + 0.45 * canvas.line(26, 4, 0.6)[None, :]
    swell = np.clip(0.55 + 0.75 * canvas.line(2.5, 2)[None, :], 0.05, 1.3)
    above = line - y
    reach = high * (0.55 + 0.6 * swell * rays)
    profile = step(-0.035, 0.03, above) * np.exp(-np.maximum(above, 0) / reach)
    strength = profile * (0.35 + 0.65 * rays) * swell * bright
    tint = ramp(
        np.clip(above / 0.42, 0, 1),
        (0.0, "#7fdcd8"), (0.22, "#45b9cc"), (0.5, "#5a78d6"), (0.8, "#8b5cc9"), (1.0, "#a04fb0"),
    )  # fmt: skip
    return np.asarray(tint * strength[..., None], dtype=np.float32)


def aurora(canvas: Canvas) -> Light:
    """Northern lights over snow-covered mountains and still water."""
    x, y = canvas.grid()
    shore = 0.72
    light = ramp(y / shore, (0.0, "#060b1c"), (0.5, "#0e1b36"), (0.85, "#1d3552"), (1.0, "#2e4c66"))
    stars = np.zeros_like(x)
    count = 900
    places = canvas.random.random((count, 2))
    power = canvas.random.pareto(1.6, count).clip(0, 12)
    rows = (places[:, 0] * shore * canvas.height).astype(np.int64)
    columns = (places[:, 1] * canvas.width).astype(np.int64)
    np.add.at(stars, (rows, columns), power.astype(np.float32) * 0.35)
    light += (
        blur(stars, canvas.pixels(0.0009))[..., None] * colour("#dfe9ff") * canvas.pixels(0.002)
    )
    for base, drift, high, bright in (
        (0.47, -0.20, 0.16, 0.55), (0.40, 0.24, 0.20, 0.42), (0.56, 0.05, 0.11, 0.35),
    ):  # fmt: skip
        light += _curtain(canvas, base, drift, high, bright)
    light += np.exp(-((y - shore) ** 2) / 0.02)[..., None] * colour("#5fc7c0") * 0.06
    for near, base, rough in ((0.0, 0.60, 0.12), (1.0, 0.665, 0.09)):
        outline = 1 - np.abs(canvas.line(5 + 2 * near, 7, 0.5)) * 2
        crest = base - rough * (outline - 0.35)
        below = (y - crest[None, :]).astype(np.float32)
        # Snow lies near the crests, in streaks that run down the slopes.
        streaks = canvas.line(70, 3, 0.7)[None, :] * 0.5 + canvas.clouds(14, 4, 0.6)
        snow = step(0.02, -0.09, below - 0.05 - 0.05 * streaks) * (0.55 - 0.25 * near)
        rock = colour("#16263a") * (1 - 0.45 * near)
        body = mix(np.broadcast_to(rock, light.shape), colour("#6d97b0") * 0.35, snow)
        body = mix(body, colour("#2b5a6c") * 0.55, step(0.03, 0.16, below) * (0.5 - 0.3 * near))
        light = mix(light, body, np.clip(below * canvas.height / 1.5 + 0.5, 0, 1))
    # Water: the picture above the shore, upside down, pulled apart vertically and a bit darker.
    depth = np.maximum(y - shore, 0)
    ripple = canvas.clouds(60, 3, stretch=7) * (0.004 + 0.06 * depth)
    source_y = (shore - depth * 1.35 + ripple) * canvas.height
    mirrored = sample(light, x * canvas.height + ripple * canvas.pixels(0.12), source_y)
    columns_blur = max(3, int(canvas.pixels(0.02)) | 1)
    water = cv2.GaussianBlur(mirrored, (1, columns_blur), 0) * 0.62 + colour("#0a1626") * 0.5
    light = mix(light, np.asarray(water, np.float32), step(shore - 0.001, shore + 0.002, y))
    return defocus(light, canvas, 0.0028)


LAMPS = ("#ffb46b", "#ffca8a", "#ffd9ad", "#ff8e57", "#ff5a4e", "#9fc4ff", "#7fd6e8", "#d48cff")
LIKELY = (0.26, 0.22, 0.17, 0.12, 0.07, 0.08, 0.05, 0.03)


def _street(canvas: Canvas, count: int, top: float, bottom: float, power: float) -> Light:
    """Points of light between two heights, scattered."""
    points = np.zeros((canvas.height, canvas.width, 3), np.float32)
    tones = np.stack([colour(code) for code in LAMPS])
    for _ in range(count):
        across = canvas.random.random()
        down = top + (bottom - top) * canvas.random.beta(2.2, 1.6)
        tone = tones[canvas.random.choice(len(LAMPS), p=LIKELY)]
        strength = np.float32(power * canvas.random.lognormal(0, 0.7) * canvas.pixels(0.01) ** 2)
        points[int(down * canvas.height), int(across * canvas.width)] += tone * strength
    return points


def _towers(canvas: Canvas, light: Light) -> tuple[Light, Light]:
    """Houses in front of the sky, and the points of light of their windows."""
    windows = np.zeros_like(light)
    _, y = canvas.grid()
    left = -0.03
    while left < canvas.aspect:
        wide = canvas.random.uniform(0.06, 0.15)
        top = float(canvas.random.beta(1.6, 2.4)) * 0.5 + 0.10
        share = canvas.random.uniform(0.10, 0.38)
        tone = colour(LAMPS[canvas.random.choice(4)]) * canvas.random.uniform(0.4, 1.0)
        first, last = int(max(left, 0) * canvas.height), int((left + wide) * canvas.height)
        wall = colour("#1c2748") * np.float32(canvas.random.uniform(0.6, 1.1))
        body = light[:, first:last]
        cover = np.clip((y[:, first:last] - top) * canvas.height + 0.5, 0, 1) * 0.85
        light[:, first:last] = mix(body, np.broadcast_to(wall, body.shape), cover)
        for floor in np.arange(top + 0.02, 0.74, 0.023):
            for column in np.arange(left + 0.012, left + wide - 0.008, 0.021):
                lit = canvas.random.random() < share
                strength = canvas.random.lognormal(-0.4, 0.7)
                if lit and 0 <= column < canvas.aspect:
                    place = int(floor * canvas.height), int(column * canvas.height)
                    if place[0] < canvas.height and place[1] < canvas.width:
                        windows[place] += tone * np.float32(strength * canvas.pixels(0.01) ** 2)
        left += wide + canvas.random.uniform(-0.01, 0.05)
    return light, windows


def city(canvas: Canvas) -> Light:
    """A city at night through a fast lens: far windows as small discs, the street as large ones."""
    _, y = canvas.grid()
    light = ramp(
        y, (0.0, "#0d1630"), (0.4, "#27345f"), (0.62, "#5a4463"), (0.8, "#2f2637"), (1.0, "#15111b")
    )
    light, windows = _towers(canvas, light)
    light = blur(light, canvas.pixels(0.016))
    light += defocus(windows * 1.5, canvas, 0.0095, 7)
    light += defocus(_street(canvas, 120, 0.45, 0.84, 4.0), canvas, 0.020, 7)
    light += defocus(_street(canvas, 50, 0.55, 0.99, 15.0), canvas, 0.042, 7)
    street = smooth(np.clip(1 - np.abs(y - 0.78) / 0.24, 0, 1))
    light += street[..., None] * colour("#ff9d5c") * 0.08
    return blur(light, canvas.pixels(0.0016))

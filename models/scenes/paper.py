"""The paper's augmentations, in its order and with its numbers, as its authors' code has them.

Source: Lin et al. 2021, appendix C, where it says less than the authors' code; the code's numbers
count. What a WebRTC camera does besides is in `models.scenes.degradation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as pil
from PIL import ImageEnhance, ImageFilter

from models.scenes.camera import Generator, Image, from_bytes, limited
from models.scenes.pictures import Picture
from models.scenes.sample import Sample

Floats = NDArray[np.float64]

_BASE_CANVAS: Final = 512
_JOINT_CANVAS: Final = 2048

SHADOW_CHANCE: Final = 0.3
NOISE_CHANCE: Final = 0.4
JITTER_CHANCE: Final = 0.8
MISALIGNED_CHANCE: Final = 0.3


def paper(
    foregrounds: Sequence[Picture],
    backgrounds: Sequence[Picture],
    size: tuple[int, int],
    rng: Generator,
    count: int,
    *,
    zoom: tuple[float, float] = (1.0, 1.0),
    focus: float = 0.0,
    clean: float = 0.0,
    drifted: float = 0.0,
    chosen: Sequence[int] | None = None,
) -> list[Sample]:
    """A batch as the paper's authors make it; see `models.scenes.recipes.DrawBatch`.

    A `size` (rows, columns) of up to 512 belongs to the base stage: a canvas of 512x512, people
    scaled by 0.4..1. Larger ones belong to the joint stage: 2048x2048 and 0.3..1. What the authors
    draw once for all of a batch is drawn once here too: the strength of noise and the whole shadow
    and misalignment.

    Args:
        foregrounds: H x W x 4.
        backgrounds: H x W x 3.
        size: rows and columns of the crop.
        rng: decides everything.
        count: samples.
        zoom: has no meaning here, as the scale of people is the paper's.
        focus: none either, as their place is.
        clean: none either.
        drifted: nor that.
        chosen: numbers of the samples in the epoch, whose length is that of the longer list; both
            lists are gone through by it.
    """
    side, least = (_BASE_CANVAS, 0.4) if max(size) <= _BASE_CANVAS else (_JOINT_CANVAS, 0.3)
    longest = max(len(foregrounds), len(backgrounds))
    numbers = rng.integers(longest, size=count).tolist() if chosen is None else chosen
    people = [person(foregrounds[n % len(foregrounds)], side, least, rng) for n in numbers]
    rooms = [room(backgrounds[n % len(backgrounds)], side, rng) for n in numbers]
    alphas = [from_bytes(_crop(alpha, size)) for _, alpha in people]
    colours = [from_bytes(_crop(colour, size)) for colour, _ in people]
    plates = [from_bytes(_crop(view, size)) for view in rooms]
    behind = shadowed(plates, alphas, rng)
    sources = [
        limited(view + alpha[..., None] * (colour - view))
        for colour, alpha, view in zip(colours, alphas, behind, strict=True)
    ]
    sources, plates = noisy(sources, plates, rng)
    plates = misaligned(jittered(plates, rng), rng)
    return [
        (source, plate, alpha[..., None], colour)
        for source, plate, alpha, colour in zip(sources, plates, alphas, colours, strict=True)
    ]


def person(cutout: Picture, side: int, least: float, rng: Generator) -> tuple[Picture, Picture]:
    """Colour (side x side x 3) and alpha (side x side) after the augmentations of both.

    Affine with scale `least`..1, flip, blur, sharpening for both alike; jitter of the colour.
    """
    matrix = affine_on(side, cutout.shape[:2], (least, 1.0), rng)
    pair = [
        pil.fromarray(_canvas(np.ascontiguousarray(part), matrix, side))
        for part in (cutout[..., :3], cutout[..., 3])
    ]
    if rng.random() < 0.5:
        pair = [part.transpose(pil.Transpose.FLIP_LEFT_RIGHT) for part in pair]
    pair = _blurred_or_sharpened(pair, rng)
    colour, alpha = _pil_jitter(pair[0], rng), pair[1]
    return np.asarray(colour, dtype=np.uint8), np.asarray(alpha, dtype=np.uint8)


def room(picture: Picture, side: int, rng: Generator) -> Picture:
    """An empty place (side x side x 3) after its own augmentations: the same, scale 1..2."""
    matrix = affine_on(side, picture.shape[:2], (1.0, 2.0), rng)
    view = pil.fromarray(_canvas(picture, matrix, side))
    if rng.random() < 0.5:
        view = view.transpose(pil.Transpose.FLIP_LEFT_RIGHT)
    (view,) = _blurred_or_sharpened([view], rng)
    return np.asarray(_pil_jitter(view, rng), dtype=np.uint8)


def affine_on(
    side: int, shape: tuple[int, int], scales: tuple[float, float], rng: Generator
) -> Floats:
    """From a picture of `shape` (rows, columns) to a square canvas, 2 x 3, in pixel centres.

    Turned by +-5 degrees, moved by +-10 %, scaled, sheared by +-5 degrees; scale and movement times
    the factor that covers the canvas; turned about the picture's centre, which meets the canvas's.
    """
    rows, columns = shape
    cover = max(side / columns, side / rows)
    angle = rng.uniform(-5, 5)
    reach = 0.1 * cover
    move = np.round(rng.uniform(-reach, reach, 2) * (columns, rows))
    scale = rng.uniform(*scales) * cover
    shear = rng.uniform(-5, 5)
    linear = _linear(angle, shear, scale)
    centre = np.array([(columns - 1) / 2, (rows - 1) / 2])
    target = np.array([(side - 1) / 2, (side - 1) / 2]) + move
    return np.concatenate([linear, (target - linear @ centre)[:, None]], 1)


def shadowed(views: Sequence[Image], alphas: Sequence[Image], rng: Generator) -> list[Image]:
    """Some of the views (H x W x 3) with the shadow of their person taken off (H x W)."""
    struck = rng.random(len(views)) < SHADOW_CHANCE
    strength = np.float32(0.3 * rng.random())
    rows, columns = alphas[0].shape
    matrix = _about_centre(
        (rows, columns), rng.uniform(-5, 5), rng.uniform(-5, 5), rng.uniform(0.5, 1.5),
        np.round(rng.uniform(-0.2, 0.2, 2) * (columns, rows)),
    )  # fmt: skip
    kernel = int(rng.integers(20, 40))

    def cast(alpha: Image) -> Image:
        moved = cv2.warpAffine(alpha * strength, matrix, (columns, rows), flags=cv2.INTER_NEAREST)
        soft = cv2.blur(moved, (kernel, kernel), borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(soft, dtype=np.float32)

    return [
        limited(view - cast(alpha)[..., None]) if hit else view
        for view, alpha, hit in zip(views, alphas, struck, strict=True)
    ]


def noisy(
    sources: Sequence[Image], plates: Sequence[Image], rng: Generator
) -> tuple[list[Image], list[Image]]:
    """Both of a struck sample get Gaussian noise, each of its own deviation of up to 0.03."""
    struck = rng.random(len(sources)) < NOISE_CHANCE
    deviations = np.float32(0.03) * rng.random(2, dtype=np.float32)

    def grained(image: Image, deviation: np.float32) -> Image:
        grain = rng.standard_normal(image.shape, dtype=np.float32)
        return limited(image + deviation * grain)

    seen = [
        tuple(grained(i, d) for i, d in zip(pair, deviations, strict=True)) if hit else pair
        for *pair, hit in zip(sources, plates, struck, strict=True)
    ]
    return [pair[0] for pair in seen], [pair[1] for pair in seen]


def jittered(plates: Sequence[Image], rng: Generator) -> list[Image]:
    """Colours of some plates: each struck one its own amounts, in one order for all of them."""
    struck = rng.random(len(plates)) < JITTER_CHANCE
    order = rng.permutation(4)
    return [
        jitter(plate, rng.uniform(-0.18, 0.18, 3), rng.uniform(-0.1, 0.1), order) if hit else plate
        for plate, hit in zip(plates, struck, strict=True)
    ]


def jitter(
    image: Image,
    amounts: Floats | Sequence[float],
    hue: float,
    order: Sequence[int] | NDArray[np.intp],
) -> Image:
    """The jitter of kornia 0.4.1, which differs from torchvision's.

    Args:
        image: H x W x 3, RGB, 0..1.
        amounts: of brightness, which is *added*; of contrast, one more than which multiplies,
            without regard to the mean; of saturation, likewise in HSV.
        hue: in turns.
        order: permutation of brightness, contrast, saturation, hue.
    """
    brightness, contrast, saturation = (np.float32(amount) for amount in amounts)
    steps: tuple[Callable[[Image], Image], ...] = (
        lambda seen: limited(seen + brightness),
        lambda seen: limited(seen * (1 + contrast)),
        lambda seen: _in_hsv(seen, 0.0, float(1 + saturation)),
        lambda seen: _in_hsv(seen, hue, 1.0),
    )
    for step in order:
        image = steps[int(step)](image)
    return image


def misaligned(plates: Sequence[Image], rng: Generator) -> list[Image]:
    """Some plates turned by up to a degree and moved by up to 1 %, all alike; black comes in."""
    struck = rng.random(len(plates)) < MISALIGNED_CHANCE
    rows, columns = plates[0].shape[:2]
    move = np.round(rng.uniform(-0.01, 0.01, 2) * (columns, rows))
    matrix = _about_centre((rows, columns), rng.uniform(-1, 1), 0.0, 1.0, move)

    def moved(plate: Image) -> Image:
        seen = cv2.warpAffine(plate, matrix, (columns, rows), flags=cv2.INTER_NEAREST)
        return np.asarray(seen, dtype=np.float32)

    return [moved(plate) if hit else plate for plate, hit in zip(plates, struck, strict=True)]


def _in_hsv(image: Image, turns: float, saturation: float) -> Image:
    hue, strength, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    hue = np.mod(hue + np.float32(360 * turns), 360).astype(np.float32)
    strength = np.clip(strength * np.float32(saturation), 0, 1)
    turned = cv2.cvtColor(cv2.merge([hue, strength, value]), cv2.COLOR_HSV2RGB)
    return limited(turned)


def _blurred_or_sharpened(pair: list[pil.Image], rng: Generator) -> list[pil.Image]:
    if rng.random() < 0.1:
        box = ImageFilter.BoxBlur(int(rng.integers(6)))
        pair = [part.filter(box) for part in pair]
    if rng.random() < 0.1:
        pair = [part.filter(ImageFilter.SHARPEN) for part in pair]
    return pair


def _pil_jitter(picture: pil.Image, rng: Generator) -> pil.Image:
    """torchvision's jitter: brightness, contrast, saturation +-0.15, hue +-0.05 turns."""
    enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    for step in rng.permutation(4):
        if step < 3:
            picture = enhancers[step](picture).enhance(rng.uniform(0.85, 1.15))
        else:
            # OpenCV's, whose hue has Pillow's 256 levels too: several times faster there and back.
            hsv = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2HSV_FULL)
            hsv[..., 0] += np.uint8(int(rng.uniform(-0.05, 0.05) * 255) % 256)
            picture = pil.fromarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL))
    return picture


def _linear(angle: float, shear: float, scale: float) -> Floats:
    turn, slant = np.radians(angle), np.tan(np.radians(shear))
    c, s = np.cos(turn), np.sin(turn)
    return np.array([[c, -c * slant - s], [s, -s * slant + c]]) * scale


def _about_centre(
    shape: tuple[int, int], angle: float, shear: float, scale: float, move: Floats
) -> Floats:
    linear = _linear(angle, shear, scale)
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    return np.concatenate([linear, (centre + move - linear @ centre)[:, None]], 1)


def _canvas(picture: Picture, matrix: Floats, side: int) -> Picture:
    seen = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(seen, dtype=np.uint8)


def _crop(canvas: Picture, size: tuple[int, int]) -> Picture:
    """Resized to a square of the crop's longer side, and its middle taken."""
    rows, columns = size
    longer = max(size)
    square = cv2.resize(canvas, (longer, longer), interpolation=cv2.INTER_LINEAR)
    top, left = (longer - rows) // 2, (longer - columns) // 2
    return np.asarray(square[top : top + rows, left : left + columns], dtype=np.uint8)

"""The green or blue screen behind the person: its colour, and how it is lit.

Pictures here are H x W x 3, float32, RGB in 0..1, as the camera encoded them (not linear light):
the composites of training are made of such values, so alpha must hold for them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import MattingError
from models.preparation.spreading import enlarge, shrink, spread

Floats = NDArray[np.float32]
Kind = Literal["green", "blue"]

KEY_CHANNEL: Final[dict[Kind, int]] = {"green": 1, "blue": 2}

LEAST_SHARE: Final = 0.04
"""Share of a picture that must be screen; a person close to the camera leaves about a tenth."""

LEAST_DIFFERENCE: Final = 0.12
"""Colour difference below which a pixel is no screen: lawns and jeans stay below it mostly."""

_SMALL: Final = 256
"""Long side, in pixels, of the copy that the screen is looked for in."""


class ScreenMissing(MattingError):
    """The picture shows no green or blue screen; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What holds for a whole clip: the screen's kind and its typical colour."""

    kind: Kind
    colour: tuple[float, float, float]
    """RGB in 0..1, the median over the screen."""
    share: float
    """Share of the pictures it was found in that is screen, 0..1."""

    @property
    def hex(self) -> str:
        """For messages: `#rrggbb`."""
        return "#" + "".join(f"{round(channel * 255):02x}" for channel in self.colour)


def difference(picture: Floats, kind: Kind) -> Floats:
    """How much the screen's colour exceeds the others: H x W, below 0 for skin, 0 for grey.

    The colour difference of Vlahos' keyers (Smith and Blinn 1996, Blue Screen Matting):
    unlike hue it is linear in how much of the screen a pixel shows, so alpha follows from it.
    """
    key = KEY_CHANNEL[kind]
    others = [channel for channel in range(3) if channel != key]
    return np.asarray(
        picture[..., key] - np.maximum(picture[..., others[0]], picture[..., others[1]]),
        dtype=np.float32,
    )


def find_screen(pictures: Sequence[Floats], kind: Kind | None = None) -> Screen:
    """Find the screen's colour in one picture, or in several of one clip.

    Args:
        pictures: H x W x 3 each.
        kind: look for this colour only.

    Raises:
        ScreenMissing: neither colour covers `LEAST_SHARE` of the pictures.
    """
    small = [_reduced(picture) for picture in pictures]
    found = [
        screen
        for candidate in (("green", "blue") if kind is None else (kind,))
        if (screen := _look_for(small, candidate)) is not None
    ]
    if not found:
        wanted = "green or blue" if kind is None else kind
        raise ScreenMissing(
            f"no {wanted} screen was found: less than {LEAST_SHARE:.0%} of the picture is strongly "
            f"{wanted}. Give footage shot before such a screen, evenly lit and not overexposed; "
            "for ordinary photos use `cleanplate cut-out`"
        )
    return max(found, key=lambda screen: screen.share * difference_of(screen))


def given_screen(text: str) -> Screen:
    """A screen whose colour the operator knows, `#rrggbb`.

    Raises:
        ScreenMissing: that is no colour, or neither green nor blue enough to key by.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ScreenMissing(f"{text} is no screen colour: give auto, green, blue or #rrggbb")
    red, green, blue = (value / 255 for value in bytes.fromhex(text[1:]))
    screen = Screen("green" if green >= blue else "blue", (red, green, blue), 1.0)
    if difference_of(screen) < LEAST_DIFFERENCE:
        raise ScreenMissing(
            f"{text} cannot be keyed by: its green or blue must exceed both other channels by "
            f"{LEAST_DIFFERENCE:.0%} at least. Pick the colour where the screen is well lit"
        )
    return screen


def difference_of(screen: Screen) -> float:
    """The screen's own colour difference, 0..1."""
    return float(difference(np.asarray([[screen.colour]], np.float32), screen.kind)[0, 0])


def light_screen(picture: Floats, screen: Screen) -> tuple[Floats, Floats]:
    """The plate of a screen: what the camera would see of it without the person.

    The screen's light is followed where it can be seen (falling off to the corners, hot spots,
    soft folds) and carried on behind the person.

    Args:
        picture: H x W x 3.
        screen: found in this picture or in its clip.

    Returns:
        The plate, H x W x 3, and where the picture surely shows the screen, H x W, 0 or 1.

    Raises:
        ScreenMissing: this frame shows nothing of the clip's screen.
    """
    height, width = picture.shape[:2]
    # Pixels of about 1/500 of the picture: noise and the weave of the cloth are averaged away.
    step = max(1, round(max(height, width) / 500))
    size = (max(1, width // step), max(1, height // step))
    small = shrink(picture, size)
    seen = difference(small, screen.kind)
    key = np.maximum(small[..., KEY_CHANNEL[screen.kind]], 1e-3)
    typical = difference_of(screen)
    purity = typical / screen.colour[KEY_CHANNEL[screen.kind]]
    # The share that exceeds is a matter of the screen's dye; how bright it is, of its light.
    pure = (seen / key > 0.75 * purity) & (seen > max(0.3 * typical, LEAST_DIFFERENCE / 2))
    if pure.mean() < LEAST_SHARE / 4:
        raise ScreenMissing(
            f"nothing of the {screen.kind} screen {screen.hex} can be seen in this frame. Cut the "
            "clip where the screen fills the picture's sides"
        )
    light = _surface(seen, pure)
    sure = pure
    for reach in (8, 16, 32):
        sure = pure & (seen > 0.82 * light)
        if not sure.any():
            sure = pure
        light = _local_mean(seen, sure, max(size) / reach)
    sure = sure | _shadows(seen / light, seen / key > 0.85 * purity)
    # Away from the person by a pixel: an edge pixel that is nearly all screen darkens the plate.
    inner = cv2.erode(sure.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    trusted = inner if inner.any() else sure.astype(np.float32)
    local = _local_mean(small, trusted > 0, max(size) / 160)
    plate = spread(local, trusted)
    plate = np.asarray(cv2.GaussianBlur(plate, (0, 0), 1.5), dtype=np.float32)
    return enlarge(plate, (width, height)), enlarge(trusted, (width, height)).round()


def _look_for(pictures: Sequence[Floats], kind: Kind) -> Screen | None:
    """The screen of one kind: the peak of its colours, in hue and saturation."""
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in pictures])
    seen = difference(pixels[None], kind)[0]
    strong = (seen > LEAST_DIFFERENCE) & (seen > 0.25 * pixels[:, KEY_CHANNEL[kind]])
    if strong.mean() < LEAST_SHARE:
        return None
    # Brighter and purer first: what is half person or in shadow must not set the colour.
    chosen = pixels[strong]
    strength = seen[strong]
    top = chosen[strength > 0.6 * np.percentile(strength, 90)]
    red, green, blue = (float(channel) for channel in np.median(top, 0))
    return Screen(kind, (red, green, blue), float(strong.mean()))


def _shadows(relative: Floats, pure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where something casts a shadow on the screen: darker, of the screen's colour, and calm over
    some area. Dark hair before the screen has that colour too, but is never calm.

    Args:
        relative: H x W, brightness against the screen's light around there.
        pure: H x W, of the screen's colour.
    """
    side = (5, 5)
    spread_out = cv2.blur(relative * relative, side) - cv2.blur(relative, side) ** 2
    calm = pure & (relative > 0.3) & (spread_out < 0.035**2)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    return cv2.morphologyEx(calm.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0


def _reduced(picture: Floats) -> Floats:
    height, width = picture.shape[:2]
    scale = min(1.0, _SMALL / max(height, width))
    return shrink(picture, (max(1, round(width * scale)), max(1, round(height * scale))))


def _surface(values: Floats, mask: NDArray[np.bool_]) -> Floats:
    """A quadratic surface through the masked values, fitted twice, the second time without those
    that lie far below: H x W."""
    height, width = values.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    known = mask.copy()
    surface = np.zeros_like(values)
    for _ in range(2):
        solution = np.linalg.lstsq(terms[known], values[known], rcond=None)[0]
        surface = np.asarray(terms @ solution, dtype=np.float32)
        better = mask & (values > 0.8 * surface)
        known = better if better.sum() > 12 else known
    # Where no screen is seen a parabola may go anywhere.
    low, high = np.percentile(values[known], [1, 99])
    return np.clip(surface, low, high)


def _local_mean(values: Floats, mask: NDArray[np.bool_], sigma: float) -> Floats:
    """Mean of the masked values around every pixel, Gaussian of `sigma` pixels."""
    weights = mask.astype(np.float32)
    weighted = values * (weights if values.ndim == 2 else weights[..., None])
    total = cv2.GaussianBlur(weights, (0, 0), max(sigma, 0.5))
    summed = cv2.GaussianBlur(weighted, (0, 0), max(sigma, 0.5))
    everywhere = values[mask].mean(0)
    floor = np.float32(1e-4)
    if values.ndim == 3:
        total = total[..., None]
    return np.asarray((summed + floor * everywhere) / (total + floor), dtype=np.float32)

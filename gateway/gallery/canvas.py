"""What a painter works on: a size, a seed, and noise that looks the same at every size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.float32]
"""H x W, one number per pixel."""
Light: TypeAlias = NDArray[np.float32]
"""H x W x 3, linear light, 1.0 is a white wall in the picture's main light; may exceed 1."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size and the randomness of one picture.

    Coordinates run from 0 to 1 downwards and from 0 to `aspect` to the right, so that a painter
    describes the same picture at any size.
    """

    width: int
    height: int
    seed: int
    samples: int = 96
    """Light paths per pixel, for the painters that trace light."""
    random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        """Seed the randomness: the same canvas always gives the same picture."""
        object.__setattr__(self, "random", np.random.default_rng(self.seed))

    @property
    def aspect(self) -> float:
        """Width in units of the height."""
        return self.width / self.height

    def axes(self) -> tuple[Field, Field]:
        """`x` as 1 x W and `y` as H x 1, pixel centres."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5) / self.height
        y = (np.arange(self.height, dtype=np.float32) + 0.5) / self.height
        return x[None, :].astype(np.float32), y[:, None].astype(np.float32)

    def grid(self) -> tuple[Field, Field]:
        """`x` and `y` as H x W."""
        x, y = self.axes()
        return (
            np.ascontiguousarray(np.broadcast_to(x, (self.height, self.width))),
            np.ascontiguousarray(np.broadcast_to(y, (self.height, self.width))),
        )

    def pixels(self, length: float) -> float:
        """A length in units of the height, in pixels."""
        return length * self.height

    def noise(self, cells: float, stretch: float = 1.0) -> Field:
        """Smooth noise, mean 0, about -1..1, `cells` bumps from top to bottom.

        `stretch` above 1 makes the bumps wider than they are high.
        """
        rows = max(2, round(cells)) + 3
        columns = max(2, round(cells * self.aspect / stretch)) + 3
        lattice = self.random.uniform(-1, 1, (rows, columns)).astype(np.float32)
        step_x = (columns - 3) / self.width
        step_y = (rows - 3) / self.height
        map_x = (np.arange(self.width, dtype=np.float32) + 0.5) * step_x + 1
        map_y = (np.arange(self.height, dtype=np.float32) + 0.5) * step_y + 1
        return sample(lattice, *np.meshgrid(map_x, map_y))

    def clouds(
        self, cells: float, octaves: int = 5, gain: float = 0.5, stretch: float = 1.0
    ) -> Field:
        """Fractal noise, mean about 0, about -1..1: octaves of `noise`, each twice as fine.

        Octaves finer than two pixels are drawn from the seed but left out, so that a small
        picture is the large one, smaller.
        """
        total = np.zeros((self.height, self.width), np.float32)
        weight, norm = 1.0, 0.0
        for octave in range(octaves):
            size = cells * 2**octave
            layer_seed = int(self.random.integers(2**31))
            norm += weight
            if size < self.height / 2:
                layer = Canvas(self.width, self.height, layer_seed)
                total += np.float32(weight) * layer.noise(size, stretch)
            weight *= gain
        return np.asarray(total / norm, dtype=np.float32)

    def line(self, cells: float, octaves: int = 5, gain: float = 0.5) -> Field:
        """Fractal noise along x only, length W, about -1..1: the outline of a ridge."""
        x = self.axes()[0][0]
        total = np.zeros_like(x)
        weight, norm = 1.0, 0.0
        for octave in range(octaves):
            knots = max(2, round(cells * 2**octave))
            values = self.random.uniform(-1, 1, knots + 3).astype(np.float32)
            position = x / self.aspect * knots
            base = np.floor(position).astype(np.int64)
            blend = smooth(position - base)
            norm += weight
            if knots < self.width / 2:
                layer = values[base] * (1 - blend) + values[base + 1] * blend
                total += np.float32(weight) * layer
            weight *= gain
        return np.asarray(total / norm, dtype=np.float32)


def sample(picture: NDArray[np.float32], map_x: Field, map_y: Field) -> NDArray[np.float32]:
    """Look a picture up at fractional pixel positions; the border continues outwards."""
    return cast(
        "NDArray[np.float32]",
        cv2.remap(
            picture,
            map_x.astype(np.float32),
            map_y.astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ),
    )


def smooth(amount: Field) -> Field:
    """Ease 0..1 into 0..1 with flat ends (3t^2 - 2t^3)."""
    return amount * amount * (3 - 2 * amount)


def step(low: float, high: float, value: Field) -> Field:
    """0 below `low`, 1 above `high`, eased between; `low` may be the larger one."""
    return smooth(np.clip((value - low) / (high - low), 0, 1).astype(np.float32))


def mix(first: Light | Field, second: Light | Field, amount: Field) -> Light:
    """Blend two lights (or colours) by a field of 0..1."""
    share = amount[..., None]
    return (first * (1 - share) + second * share).astype(np.float32)


def colour(code: str) -> NDArray[np.float32]:
    """`#rrggbb` as people write it (sRGB), in linear light."""
    values = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def ramp(value: Field, *stops: tuple[float, str]) -> Light:
    """Colours along a field: stops of (position, `#rrggbb`), interpolated in linear light."""
    positions = [position for position, _ in stops]
    colours = np.stack([colour(code) for _, code in stops])
    channels = [np.interp(value, positions, colours[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def blur(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur, `sigma` in pixels; below a fifth of a pixel nothing happens."""
    if sigma < 0.2:
        return picture
    return cast(
        "NDArray[np.float32]",
        cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE),
    )

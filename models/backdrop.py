"""What replaces the scene behind the person. Plain data, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.errors import PictureError


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture, scaled to cover the source and cropped around its centre."""

    rgb: NDArray[np.uint8]
    """H x W x 3, RGB."""

    def __post_init__(self) -> None:
        """Refuse anything that is not an RGB picture."""
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 3 or self.rgb.shape[2] != 3:
            raise PictureError(
                f"a backdrop picture must be H x W x 3 of uint8, "
                f"not {self.rgb.shape} of {self.rgb.dtype}"
            )
        if 0 in self.rgb.shape:
            raise PictureError("a backdrop picture must have at least one pixel")


@dataclass(frozen=True, slots=True)
class Colour:
    """One flat colour, each channel 0 to 255."""

    red: int
    green: int
    blue: int

    def __post_init__(self) -> None:
        """Refuse channels outside a byte."""
        if not all(0 <= channel <= 255 for channel in (self.red, self.green, self.blue)):
            raise PictureError(
                f"a colour's channels lie in 0..255, not {self.red}, {self.green}, {self.blue}"
            )


@dataclass(frozen=True, slots=True)
class Blur:
    """The person's own scene, out of focus: made from the plate, so nobody leaves a halo."""

    radius: float = 24.0
    """Standard deviation of the blur in pixels of a picture 720 high; scales with the height."""

    def __post_init__(self) -> None:
        """Refuse radii that no picture can show."""
        if not 0.0 <= self.radius <= 200.0:
            raise PictureError(f"a blur radius lies in 0..200, not {self.radius}")


@dataclass(frozen=True, slots=True)
class Transparent:
    """No backdrop: real alpha in files; in video, which has none, `KEYING_GREEN`."""


Backdrop: TypeAlias = Picture | Colour | Blur | Transparent

KEYING_GREEN = Colour(0x00, 0xB1, 0x40)
"""The green that chroma keyers expect (#00b140)."""

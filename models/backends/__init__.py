"""Ways to run one network on one device, behind one interface.

A backend keeps pictures in the form that suits it: arrays of bytes on the host, tensors elsewhere.
`models.pipeline` moves them from step to step without looking inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.operating_point import OperatingPoint
from models.region import Region
from models.report import I420

Precision = Literal["fp32", "bf16", "int8"]
"""Of the base network on a processor."""

Image = TypeVar("Image")
"""An RGB picture in a backend's own form."""


@dataclass(frozen=True, slots=True)
class Cutout(Generic[Image]):
    """A person without a scene, at the source's size."""

    alpha: Image
    foreground: Image


FIT_STEP: Final = 0.25 / 255
"""Change of a fitted plate, 0..1, below which the old fit is kept, and with it all that was derived
from the plate: a quarter of a step of 8 bits is less than a source can show."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How the plate's colours have to change to be the source's: gain * plate + offset."""

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """In units of full scale, 0..1."""

    def differs(self, other: Fit) -> bool:
        """Whether a plate looks another under `other`: some colour moves by more than `FIT_STEP`.

        Linear, so that the most is at black or at white.
        """
        return any(
            max(abs(q - p), abs(h - g + q - p)) > FIT_STEP
            for g, h, p, q in zip(self.gain, other.gain, self.offset, other.offset, strict=True)
        )


class Backend(Protocol[Image]):
    """One network on one device. Not thread-safe: one thread uses it."""

    name: str
    """For people: `openvino int8`, `torch fp32`, `torch fp16`."""
    accelerator: bool
    """Whether frames leave the host."""

    def ready(self, height: int, width: int, point: OperatingPoint) -> bool:
        """Whether frames of this size can be matted now. If not, they soon can: what has to be
        made for them is, beside the calling thread. Never waits."""

    def broken(self, height: int, width: int, point: OperatingPoint) -> bool:
        """Whether what frames of this size need could not be made, lately: do without it."""

    def upload(self, source: I420) -> Image:
        """The frame as RGB in this backend's form."""

    def upload_rgb(self, rgb: NDArray[np.uint8]) -> Image:
        """A picture (H, W, 3) in this backend's form."""

    def part(self, picture: Image, region: Region) -> Image:
        """A region of a picture; the picture itself where that is all of it."""

    def adjust(self, plate: Image, fit: Fit) -> Image:
        """The plate under the source's exposure and white balance."""

    def base(self, source: Image, plate: Image, point: OperatingPoint) -> object:
        """Run the base network; its result is for `refine`, of the same frame and before the next
        `base`."""

    def refine(
        self, source: Image, plate: Image, coarse: object, point: OperatingPoint
    ) -> Cutout[Image]:
        """The full-size matte."""

    def compose(self, cutout: Cutout[Image], backdrop: Image) -> Image:
        """alpha F + (1 - alpha) B'."""

    def download(self, picture: Image) -> I420:
        """The picture as an I420 frame on the host, in memory of its own."""

    def thumbnail(self, picture: Image, height: int, width: int) -> NDArray[np.float32]:
        """Means over areas, on the host: (height, width, 3), 0..1."""

    def alpha_thumbnail(
        self, cutout: Cutout[Image], height: int, width: int
    ) -> NDArray[np.float32]:
        """Means of alpha over areas, on the host: (height, width), 0..1."""

    def read(self, cutout: Cutout[Image]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Alpha (H, W), 0..1, and foreground (H, W, 3) on the host."""

    def close(self) -> None:
        """Join what works beside the calling thread; nothing else is asked afterwards."""

    def wait(self) -> None:
        """Until the device has done everything it was given: for clocks."""

"""What surrounds a stream's person: the plate that was there and the backdrop that will be."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from models import colour
from models.backdrop import Backdrop, Transparent
from models.backends import Backend, Fit, Image
from models.compositing import cover, paint_backdrop
from models.region import Region, Size
from models.report import I420

REGIONS_KEPT: Final = 2
"""Of a size: the one that is looked at, and the whole frame."""

Kept = TypeVar("Kept")


class Surroundings(Generic[Image]):
    """Both as pictures in a backend's form, made once for as long as they stay the same.

    For the current size only: a browser that changes it does so for seconds at least.
    """

    def __init__(self, backend: Backend[Image]) -> None:
        """Without plate; a green to be keyed."""
        self._backend = backend
        self._plate: NDArray[np.uint8] | None = None
        self._backdrop: Backdrop = Transparent()
        self._scene_shown = False
        self._plate_image: tuple[Size, Image] | None = None
        self._backdrop_image: tuple[Size, Image] | None = None
        self._backdrop_frame: I420 | None = None
        self._fitted: dict[Region, tuple[Fit, Image, Image]] = {}
        self._painted: dict[Region, Image] = {}

    def set_plate(self, rgb: NDArray[np.uint8] | None, *, shown: bool) -> None:
        """(H, W, 3). A blurred backdrop is made from it if it may be `shown`, else it is of
        somebody's room and the backdrop is grey."""
        self._plate, self._scene_shown = rgb, shown
        self._plate_image = None
        self._fitted.clear()
        self._forget_backdrop()

    def set_backdrop(self, backdrop: Backdrop) -> None:
        """From the next frame on."""
        self._backdrop = backdrop
        self._forget_backdrop()

    def show_scene(self) -> None:
        """The plate has fitted: a blurred backdrop may be made from it."""
        if not self._scene_shown:
            self._scene_shown = True
            self._forget_backdrop()

    def plate(self, size: Size) -> Image | None:
        """The plate at a frame's size; `None` without one."""
        if self._plate is None:
            return None
        if self._plate_image is None or self._plate_image[0] != size:
            # Cameras crop around the centre where they change the aspect, and so does `cover`.
            self._plate_image = (size, self._backend.upload_rgb(cover(self._plate, *size)))
            self._fitted.clear()
        return self._plate_image[1]

    def fitted(self, plate: Image, fit: Fit, region: Region) -> Image:
        """A region of `plate`, of the current size, under a frame's light.

        The same picture as before, as long as the fit changes nothing that can be seen: what
        backends derive from a plate, they keep for as long as it is the same.
        """
        kept = self._fitted.pop(region, None)
        if kept is None:
            part = self._backend.part(plate, region)
            kept = (fit, part, self._backend.adjust(part, fit))
        elif kept[0].differs(fit):
            kept = (fit, kept[1], self._backend.adjust(kept[1], fit))
        _keep(self._fitted, region, kept)
        return kept[2]

    def painted(self, size: Size) -> Image:
        """The backdrop at a frame's size."""
        if self._backdrop_image is None or self._backdrop_image[0] != size:
            rgb = paint_backdrop(self._backdrop, *size, self._scene())
            self._backdrop_image = (size, self._backend.upload_rgb(rgb))
            self._painted.clear()
        return self._backdrop_image[1]

    def painted_part(self, size: Size, region: Region) -> Image:
        """A region of it."""
        whole = self.painted(size)
        part = self._painted.pop(region, None)
        if part is None:
            part = self._backend.part(whole, region)
        _keep(self._painted, region, part)
        return part

    def alone(self, size: Size) -> I420:
        """The backdrop as a frame, which the caller owns."""
        frame = self._backdrop_frame
        if frame is None or colour.frame_size(frame) != size:
            frame = colour.to_i420(paint_backdrop(self._backdrop, *size, self._scene()))
            self._backdrop_frame = frame
        return frame.copy()

    def free(self) -> None:
        """Let go of what lies on the device; it is uploaded again when it is needed."""
        self._plate_image = self._backdrop_image = None
        self._fitted.clear()
        self._painted.clear()

    def _forget_backdrop(self) -> None:
        self._backdrop_image = self._backdrop_frame = None
        self._painted.clear()

    def _scene(self) -> NDArray[np.uint8] | None:
        return self._plate if self._scene_shown else None


def _keep(kept: dict[Region, Kept], region: Region, value: Kept) -> None:
    """As the newest of `REGIONS_KEPT`."""
    kept[region] = value
    while len(kept) > REGIONS_KEPT:
        del kept[next(iter(kept))]

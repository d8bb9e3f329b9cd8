"""One stream's frames, in order: source in, composite out, and the state between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Generic

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models import colour
from models.backdrop import Backdrop
from models.backends import Backend, Cutout, Image
from models.begun import Begun
from models.clock import Clock
from models.detail import Ladder, same_shape
from models.errors import MattingError
from models.governor import Governor
from models.graphs.frame import FrameKey
from models.graphs.programs import FrameJob
from models.graphs.runner import FrameResult, FrameRunner
from models.operating_point import OperatingPoint
from models.plate import Plate
from models.region import Region, Size
from models.report import I420, Composite, Quality
from models.sight import Sight
from models.surroundings import Surroundings
from models.tracking import THUMBNAIL, PlateTracker

SETTLING: Final = 8
"""Rounds in which a single picture's fit reaches its end."""


class MattingPipeline(Generic[Image]):
    """Plate, backdrop and the last frame of one stream. One thread uses it.

    Fails closed: without a plate, or while the camera looks elsewhere than at its plate, a frame
    shows the backdrop alone, never the source.
    """

    def __init__(
        self,
        backend: Backend[Image],
        *,
        careful: bool = False,
        whole: bool = False,
        frames: FrameRunner | None = None,
        governor: Governor | None = None,
    ) -> None:
        """Without plate and backdrop.

        Args:
            backend: runs the network.
            careful: give files on a processor as much as streams get on an accelerator.
            whole: look at all of every frame, as only files and accelerators have it otherwise.
            frames: of the same network and device: `begin` and `finish` do in one program what
                `composite` does in steps.
            governor: decides how closely to look at the frames of a live stream. They never wait
                for what has to be made for a new size, but show the backdrop meanwhile.
        """
        accelerator = careful or backend.accelerator
        self._backend = backend
        self._features = None if frames is None else frames.cache()
        self._sight = Sight(backend, whole=whole or accelerator)
        self._ladder = Ladder(
            backend.ready, accelerator=accelerator, governor=governor, prepared=self._sight.prepared
        )
        self._surroundings = Surroundings(backend)
        self._plate: Plate | None = None
        self._proven = False
        self._alpha: NDArray[np.float32] | None = None
        self._tracker: PlateTracker | None = None
        self._size: Size | None = None

    @property
    def plate(self) -> Plate | None:
        """As it was set."""
        return self._plate

    def set_plate(self, plate: Plate | None, *, proven: bool = True) -> None:
        """Use this plate from the next frame on; `None` forgets the scene.

        One that was not just learned from this camera, not `proven`, shows nobody until it fits.
        """
        self._plate, self._proven = plate, proven
        self._alpha = self._tracker = self._size = None
        self._surroundings.set_plate(None if plate is None else plate.rgb, shown=proven)
        if self._features is not None:
            self._features.clear()

    def distrust_plate(self) -> None:
        """Another camera may be looking: the plate has to prove itself again."""
        self._proven = False
        self._alpha = None
        if self._tracker is not None:
            self._tracker.distrust()

    def set_backdrop(self, backdrop: Backdrop) -> None:
        """Use this backdrop from the next frame on."""
        self._surroundings.set_backdrop(backdrop)

    def composite(self, source: I420) -> Composite:
        """The frame with its scene replaced.

        Raises:
            PictureError: the array is no I420 frame.
        """
        clock = Clock(self._backend.wait)
        size = colour.frame_size(source)
        if self._plate is None:
            return self._show(size, None, None, clock)
        detail = self._ladder.at(size)
        if detail.point is None:
            # The plate is neither proven nor lost by frames that nobody looked at, and the next one
            # cannot rely on what was seen before.
            self._alpha = None
            return self._show(size, self._tracked(self._sized_plate(size)), None, clock)
        size, point, source = detail.size, detail.point, colour.reduced(source, detail.size)
        plate = self._sized_plate(size)
        tracker = self._tracked(plate)
        thumbnail = colour.thumbnail(source, *THUMBNAIL)
        fit = tracker.follow(thumbnail, self._alpha)
        region = self._sight.region(size, tracker.apart(thumbnail), self._alpha, point)
        plate = self._surroundings.fitted(plate, fit, region)
        clock.lap("plate")
        image = self._backend.upload(colour.part(source, region))
        clock.lap("upload")
        cutout = self._cut_out(image, plate, point, size, region, clock)

        def mixed() -> I420:
            painted = self._surroundings.painted_part(size, region)
            mixed = self._backend.compose(cutout, painted)
            clock.lap("composite")
            pixels = self._backend.download(mixed)
            if region.size != size:
                part, pixels = pixels, self._surroundings.alone(size)
                colour.put(part, pixels, region)
            clock.lap("download")
            return pixels

        quality = detail.quality and replace(detail.quality, looked=region.share(size))
        composite = self._show(size, tracker, mixed, clock, quality)
        total = composite.milliseconds["total"]
        self._ladder.took(total, quality, usual=self._sight.usual)
        return composite

    def key(self, source: I420) -> FrameKey | None:
        """The program that this frame goes through, if any."""
        if self._features is None or self._plate is None:
            return None
        detail = self._ladder.at(colour.frame_size(source))
        return None if detail.point is None else FrameKey(*detail.size, detail.point)

    def begin(self, source: I420) -> Begun | Composite:
        """What a program has to do for this frame, or its composite if there is nothing to do.

        The plate has the exposure of the frame before; smoothed over time, its own hardly differs,
        and is known only when the program has run. After a new plate the host finds it.

        Raises:
            PictureError: the array is no I420 frame.
        """
        key = self.key(source)
        if key is None or self._features is None:
            return self.composite(source)
        detail = self._ladder.at(colour.frame_size(source))
        source = colour.reduced(source, detail.size)
        clock = Clock(lambda: None)  # the device is at work for others
        plate = self._sized_plate((key.height, key.width))
        tracker, before = self._tracked(plate), self._alpha
        # Until this frame is done, the next one must not rely on an older one.
        self._alpha = None
        if before is None:
            tracker.follow(colour.thumbnail(source, *THUMBNAIL), None)
        backdrop = self._surroundings.painted((key.height, key.width))
        if not isinstance(plate, Tensor) or not isinstance(backdrop, Tensor):
            raise TypeError("programs need a backend of tensors")
        features = self._features.features(plate, tracker.fit, key.base_size)
        clock.lap("plate")
        job = FrameJob(key, source, features, backdrop)
        return Begun(job, tracker, before, clock, detail.quality)

    def finish(self, begun: Begun, result: FrameResult) -> Composite:
        """The composite of what the program found; the frame's own thumbnail judges the plate."""
        if begun.alpha is not None:
            begun.tracker.follow(result.thumbnail, begun.alpha)
        self._alpha = result.alpha
        # What others of its batch waited for as well is no work of this frame.
        cost = begun.clock.spent + sum(result.milliseconds.values()) / result.together
        begun.clock.add(result.milliseconds)
        size = (begun.job.key.height, begun.job.key.width)
        composite = self._show(
            size, begun.tracker, lambda: result.composite, begun.clock, begun.quality
        )
        self._ladder.took(cost, begun.quality)
        return composite

    def free(self) -> None:
        """Let go of what lies on the device; it is uploaded again when it is needed."""
        self._surroundings.free()
        if self._features is not None:
            self._features.clear()

    def _show(
        self,
        size: Size,
        tracker: PlateTracker | None,
        mixed: Callable[[], I420] | None,
        clock: Clock,
        quality: Quality | None = None,
    ) -> Composite:
        """The one place that decides whether anything of the source, in `mixed`, may be seen.

        `tracker` has followed this frame; `None` without a plate.
        """
        if tracker is not None and not tracker.lost:
            self._surroundings.show_scene()
        if tracker is None or tracker.lost or mixed is None:
            pixels = self._surroundings.alone(size)
            clock.lap("composite")
        else:
            pixels = mixed()
        if tracker is None:
            return Composite(pixels, clock.times(), has_plate=False, drift=0.0, validity="none")
        return Composite(pixels, clock.times(), True, tracker.drift, tracker.validity, quality)

    def matte(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Alpha (H, W), 0..1, and foreground (H, W, 3) of a picture or a video's frame (H, W, 3).

        Raises:
            MattingError: there is no plate.
        """
        if self._plate is None:
            raise MattingError("a picture cannot be matted before there is a plate")
        backend, clock = self._backend, Clock(self._backend.wait)
        size = (rgb.shape[0], rgb.shape[1])
        image, plate = backend.upload_rgb(rgb), self._sized_plate(size)
        point = self._ladder.at(size).point
        assert point is not None  # a picture waits for what it needs
        fit = self._tracked(plate).follow(backend.thumbnail(image, *THUMBNAIL), self._alpha)
        whole = Region.whole(size)
        plate = self._surroundings.fitted(plate, fit, whole)
        return backend.read(self._cut_out(image, plate, point, size, whole, clock))

    def settle(self, rgb: NDArray[np.uint8]) -> None:
        """Let the fit, smoothed for video, reach its end on a single picture (H, W, 3)."""
        image = self._backend.upload_rgb(rgb)
        tracker = self._tracked(self._sized_plate((rgb.shape[0], rgb.shape[1])))
        for _ in range(SETTLING):
            tracker.follow(self._backend.thumbnail(image, *THUMBNAIL), self._alpha)

    def _tracked(self, plate: Image) -> PlateTracker:
        if self._tracker is None:
            noise = 0.0 if self._plate is None else float(self._plate.noise.mean())
            self._tracker = PlateTracker(self._backend.thumbnail(plate, *THUMBNAIL), noise)
            if not self._proven:
                self._tracker.distrust()
        return self._tracker

    def _cut_out(
        self,
        image: Image,
        plate: Image,
        point: OperatingPoint,
        size: Size,
        region: Region,
        clock: Clock,
    ) -> Cutout[Image]:
        """Of a region of a frame of `size`, and of the plate that is fitted to it."""
        # Until this frame is done, the next one must not rely on an older one.
        self._alpha = None
        coarse = self._backend.base(image, plate, point)
        clock.lap("base")
        cutout = self._backend.refine(image, plate, coarse, point)
        alpha, seen = np.zeros(THUMBNAIL, np.float32), region.scaled(size, THUMBNAIL)
        alpha[seen.pixels] = self._backend.alpha_thumbnail(cutout, *seen.size)
        self._alpha = alpha
        clock.lap("refine")
        return cutout

    def _sized_plate(self, size: Size) -> Image:
        plate = self._surroundings.plate(size)
        if plate is None:
            raise MattingError("there is no plate")
        if self._size != size:
            if self._size is not None and not same_shape(self._size, size):
                self._proven = False  # a telephone was turned, or another camera chosen
                self._tracker = self._alpha = None
                self._sight.begin_anew()
            # Scaled, it is the same view: what is known of light and doubt holds, on thumbnails.
            self._size = size
        return plate

"""OpenVINO: the fast way on a processor, and an optional dependency.

Two static graphs a size: the base network, and the refiner on a fixed number of tiles, which is run
as often as a frame has tiles worth refining (`models.backends.tiles`).
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from weakref import WeakValueDictionary

import cv2
import numpy as np
import openvino
from numpy.typing import NDArray
from openvino.preprocess import (
    PrePostProcessor,
)

from models import colour, compositing
from models.backends import Cutout, Fit, Precision
from models.backends.sizes import Sizes
from models.backends.tile_refiner import MOST_AT_ONCE, TileRefiner, shapes
from models.backends.tiles import TileGrid, in_fours
from models.backends.translation import translate
from models.network import MattingNetwork
from models.network.base import base_size
from models.operating_point import OperatingPoint
from models.processor import processor_has_bf16, processors
from models.quantisation.ranges import Ranges
from models.region import Region, Size
from models.report import I420

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class OpenVinoBackend:
    """Pictures are arrays (H, W, 3) of bytes on the host; alpha is (H, W, 1) of fp32."""

    accelerator = False

    def __init__(
        self,
        network: MattingNetwork,
        *,
        precision: Precision | None = None,
        ranges: Ranges | None = None,
    ) -> None:
        """Translate the network, or find it translated; sizes are compiled when they first come.

        Args:
            network: what is run.
            precision: the refiner has fp32 where it is int8. `None`: the faster of fp32 and bf16.
            ranges: of the network's convolutions, for int8.

        Raises:
            ValueError: int8 without ranges, or with those of another network.
        """
        self._network = network.eval().float()
        precision = precision or ("bf16" if processor_has_bf16() else "fp32")
        self.name = f"openvino {precision}"
        if precision == "int8" and ranges is None:
            raise ValueError("int8 needs the ranges of the network's convolutions")
        self._core = openvino.Core()
        self._options = {
            # Integers are in the network itself; the hint is for all the rest.
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "INFERENCE_NUM_THREADS": str(processors()),
            "NUM_STREAMS": "1",
            # Encoders and decoders use the same cores: who is pinned cannot make room for them.
            "ENABLE_CPU_PINNING": "NO",
        }
        self._base, self._refiner = translate(
            self._network, self._core, ranges if precision == "int8" else None
        )
        # The network holds still meanwhile, and OpenVINO may be asked by several threads.
        self._sizes: Sizes[tuple[Size, Size], _Compiled] = Sizes(self._compile)
        # Of blocks of the coarse output; only the compiling thread uses it.
        self._refiners: WeakValueDictionary[Size, TileRefiner] = WeakValueDictionary()

    def ready(self, height: int, width: int, point: OperatingPoint) -> bool:
        """See `Backend`."""
        # One that failed is ready to say so.
        return self._sizes.ready(self._key(height, width, point))

    def broken(self, height: int, width: int, point: OperatingPoint) -> bool:
        """See `Backend`."""
        return self._sizes.failed(self._key(height, width, point))

    def close(self) -> None:
        """See `Backend`."""
        self._sizes.close()

    def upload(self, source: I420) -> Bytes:
        """See `Backend`."""
        return colour.to_rgb(source)

    def upload_rgb(self, rgb: NDArray[np.uint8]) -> Bytes:
        """See `Backend`."""
        return np.ascontiguousarray(rgb)

    def part(self, picture: Bytes, region: Region) -> Bytes:
        """See `Backend`."""
        whole = region.size == picture.shape[:2]
        return picture if whole else np.ascontiguousarray(picture[region.pixels])

    def adjust(self, plate: Bytes, fit: Fit) -> Bytes:
        """See `Backend`. A table of 256 entries per channel."""
        if fit == Fit():
            return plate
        steps = np.arange(256, dtype=np.float32)[:, None]
        gain, offset = (np.asarray(values, np.float32) for values in (fit.gain, fit.offset))
        table = steps * gain + 255 * offset
        table = np.clip(np.rint(table), 0, 255).astype(np.uint8)[None]
        return np.asarray(cv2.LUT(plate, table), dtype=np.uint8)

    def base(self, source: Bytes, plate: Bytes, point: OperatingPoint) -> _Compiled:
        """See `Backend`."""
        compiled = self._sizes.get(self._key(source.shape[0], source.shape[1], point))
        # Without copying anything: what comes out is read from the request's own tensors.
        compiled.base.infer(
            [compiled.small(in_fours(source)), compiled.plate(plate).small],
            share_inputs=True,
            share_outputs=True,
        )
        return compiled

    def refine(
        self, source: Bytes, plate: Bytes, coarse: object, point: OperatingPoint
    ) -> Cutout[Bytes]:
        """See `Backend`. The tiles' area is what `point` allows, patches are not counted."""
        if not isinstance(coarse, _Compiled):
            raise TypeError("coarse must be the result of this backend's base")
        height, width = source.shape[:2]
        output, matte = (coarse.base.get_output_tensor(index).data[0] for index in (0, 1))
        config = replace(self._network.config, refine_pixels=point.refine_pixels)
        tiles = coarse.grid.choose(coarse.error, config)
        padded = in_fours(source)
        alpha, foreground = _coarse_matte(matte, padded, coarse.grid)
        if len(tiles):
            pictures = coarse.grid.padded(padded), coarse.plate(plate).padded
            coarse.refiner.refine(coarse.grid, tiles, pictures, output, alpha, foreground)
        return Cutout(alpha[:height, :width], foreground[:height, :width])

    def compose(self, cutout: Cutout[Bytes], backdrop: Bytes) -> Bytes:
        """See `Backend`."""
        alpha = np.asarray(cutout.alpha[..., 0], dtype=np.float32)
        return compositing.compose(alpha, cutout.foreground, backdrop)

    def download(self, picture: Bytes) -> I420:
        """See `Backend`."""
        return colour.to_i420(picture)

    def thumbnail(self, picture: Bytes, height: int, width: int) -> Floats:
        """See `Backend`."""
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(small, dtype=np.float32) / np.float32(255)

    def alpha_thumbnail(self, cutout: Cutout[Bytes], height: int, width: int) -> Floats:
        """See `Backend`."""
        alpha = cutout.alpha[..., 0]
        small = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(small, dtype=np.float32)

    def read(self, cutout: Cutout[Bytes]) -> tuple[Floats, Bytes]:
        """See `Backend`."""
        return np.asarray(cutout.alpha[..., 0], dtype=np.float32), cutout.foreground

    def wait(self) -> None:
        """See `Backend`. Everything here is done when it returns."""

    def _key(self, height: int, width: int, point: OperatingPoint) -> tuple[Size, Size]:
        """Of the frame in fours, and of the base network's input."""
        frame = (height + -height % 4, width + -width % 4)
        return frame, base_size(*frame, point.base_scale)

    def _compile(self, key: tuple[Size, Size]) -> _Compiled:
        frame, base = key
        grid = TileGrid(frame, base, self._network.config.refine_kernel)
        floats, steps = openvino.Type.f32, openvino.Type.u8
        # Tiles are the same for all sizes with this scale.
        refiner = self._refiners.get(grid.block)
        if refiner is None:
            at_once = min(processors(), MOST_AT_ONCE)
            streams = {"NUM_STREAMS": str(at_once)}
            compiled = self._fixed(self._refiner, shapes(grid), (floats, steps), streams)
            refiner = self._refiners[grid.block] = TileRefiner(compiled, at_once)
        small = [1, 3, *base]
        compiled = self._fixed(self._base, [small, small], (floats, floats))
        return _Compiled(grid, compiled.create_infer_request(), refiner)

    def _fixed(
        self,
        model: Any,
        inputs: list[list[int]],
        outputs: tuple[Any, ...],
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> Any:
        """Compiled for fixed sizes, channels last; pictures, in and out, are bytes."""
        model = model.clone()
        model.reshape({i: openvino.PartialShape(shape) for i, shape in enumerate(inputs)})
        steps = PrePostProcessor(model)
        for i in (0, 1):
            pictures = steps.input(i)
            pictures.tensor().set_element_type(openvino.Type.u8)
            pictures.tensor().set_layout(openvino.Layout("NHWC"))
            pictures.preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
            pictures.model().set_layout(openvino.Layout("NCHW"))
        for i, kind in enumerate(outputs):
            steps.output(i).model().set_layout(openvino.Layout("NCHW"))
            steps.output(i).tensor().set_layout(openvino.Layout("NHWC"))
            steps.output(i).tensor().set_element_type(kind)
        return self._core.compile_model(steps.build(), "CPU", {**self._options, **options})


@dataclass(frozen=True, slots=True)
class _Plate:
    """What does not change while the plate does not."""

    small: Bytes
    """(1, rows, columns, 3) for the base network."""
    padded: Bytes
    """As `TileGrid.cut` takes it."""


@dataclass(slots=True)
class _Compiled:
    """Both networks, ready for one size; `base` holds the result that `refine` reads."""

    grid: TileGrid
    base: Any
    refiner: TileRefiner
    plates: dict[int, _Plate] = field(default_factory=dict)
    """Of the streams that have this size, by identity, for as long as the plate itself lives."""

    @property
    def error(self) -> Floats:
        """(rows, columns), as predicted for the last frame, 0..1."""
        error: Floats = self.base.get_output_tensor(1).data[0][..., 4]
        return error.clip(0, 1)

    def small(self, picture: Bytes) -> Bytes:
        """(1, rows, columns, 3) as the base network takes it."""
        rows, columns = self.grid.base
        resized = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized[None], dtype=np.uint8)

    def plate(self, picture: Bytes) -> _Plate:
        """Made once for as long as a stream uses the same array."""
        made = self.plates.get(id(picture))
        if made is None:
            padded, key = in_fours(picture), id(picture)
            made = self.plates[key] = _Plate(self.small(padded), self.grid.padded(padded))
            # A room is not remembered beyond its stream, and no later array has its identity.
            weakref.finalize(picture, self.plates.pop, key, None).atexit = False
        return made


def _coarse_matte(matte: Floats, source: Bytes, grid: TileGrid) -> tuple[NDArray[Any], Bytes]:
    """Alpha and foreground of all that no tile covers, of the size of `TileGrid.whole`.

    `matte` is (rows, columns, 5) at base size: alpha, residual and error.
    """
    height, width = grid.frame
    alpha = np.empty((*grid.whole, 1), np.float32)
    foreground = np.empty((*grid.whole, 3), np.uint8)
    alpha[:height, :width, 0] = cv2.resize(
        matte[..., 0].clip(0, 1), (width, height), interpolation=cv2.INTER_LINEAR
    )
    # In whole steps of a byte, which are faster than floats.
    steps = np.rint(matte[..., 1:4] * np.float32(255)).clip(-255, 255).astype(np.int16)
    residual = cv2.resize(steps, (width, height), interpolation=cv2.INTER_LINEAR)
    foreground[:height, :width] = cv2.add(source, residual, dtype=cv2.CV_8U)
    return alpha, foreground

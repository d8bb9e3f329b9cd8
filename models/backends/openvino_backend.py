"""OpenVINO: the fast way on a processor, and an optional dependency.

On two AMD EPYC cores with AVX512-BF16, at 640x360 with the base network at 256x144: base 8 ms and
refiner 14 ms, where torch takes 40 and 45 in fp32.

The refiner runs densely as one static graph, and its result is used where the network would have
refined a patch: the same answer. Below about 20 % of the area patches take fewer multiplications,
but cutting them out of the maps costs more than what they save (32 ms against 12 for 10 %).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import openvino  # type: ignore[import-untyped,import-not-found,unused-ignore]
import torch
from numpy.typing import NDArray
from openvino.preprocess import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    PrePostProcessor,
)

from models import colour, compositing
from models.backends import Cutout, Fit
from models.backends.translation import translate
from models.device import processor_has_bf16, processors
from models.network import MattingNetwork
from models.network.base import resize
from models.network.refiner import select
from models.operating_point import OperatingPoint
from models.report import I420

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIZES_KEPT: Final = 6
"""Compiled sizes kept, least recently used first out: a browser that adapts its resolution walks
through three or four. Each takes about half a second to compile and 50 MB."""


class OpenVinoBackend:
    """Pictures are arrays (H, W, 3) of bytes on the host; alpha is (H, W, 1) of fp32."""

    accelerator = False

    def __init__(self, network: MattingNetwork) -> None:
        """Translate the network, or find it translated; sizes are compiled when they first come."""
        self._network = network.eval().float()
        precision = "bf16" if processor_has_bf16() else "f32"
        self.name = f"openvino {precision.replace('f32', 'fp32')}"
        self._core = openvino.Core()
        self._options = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": str(processors()),
        }
        self._base, self._refiner = translate(self._network, self._core)
        self._compiled: OrderedDict[tuple[int, int, int, int], _Compiled] = OrderedDict()

    def upload(self, source: I420) -> Bytes:
        """See `Backend`."""
        return colour.to_rgb(source)

    def upload_rgb(self, rgb: NDArray[np.uint8]) -> Bytes:
        """See `Backend`."""
        return np.ascontiguousarray(rgb)

    def adjust(self, plate: Bytes, fit: Fit) -> Bytes:
        """See `Backend`. A table of 256 entries per channel: 0.3 ms at 640x360."""
        if fit == Fit():
            return plate
        steps = np.arange(256, dtype=np.float32)[:, None]
        gain, offset = (np.asarray(values, np.float32) for values in (fit.gain, fit.offset))
        table = steps * gain + 255 * offset
        table = np.clip(np.rint(table), 0, 255).astype(np.uint8)[None]
        return np.asarray(cv2.LUT(plate, table), dtype=np.uint8)

    def base(self, source: Bytes, plate: Bytes, point: OperatingPoint) -> _Compiled:
        """See `Backend`."""
        source, plate = _padded(source), _padded(plate)
        height, width = source.shape[:2]
        at = self._network.with_settings(base_scale=point.base_scale)
        rows, columns = at.base_size(height, width)
        compiled = self._at(height, width, rows, columns)
        small = [
            cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_LINEAR)[None]
            for picture in (source, plate)
        ]
        compiled.base.infer(small, share_inputs=True)
        return compiled

    def refine(
        self, source: Bytes, plate: Bytes, coarse: object, point: OperatingPoint
    ) -> Cutout[Bytes]:
        """See `Backend`."""
        if not isinstance(coarse, _Compiled):
            raise TypeError("coarse must be the result of this backend's base")
        height, width = source.shape[:2]
        source, plate = _padded(source), _padded(plate)
        rows, columns = source.shape[0] // 4, source.shape[1] // 4
        output = coarse.base.get_output_tensor(0)
        error = torch.from_numpy(output.data[:, 4:5]).clamp(0, 1)
        config = self._network.with_settings(refine_pixels=point.refine_pixels).config
        refined = np.ones((1, 1, rows, columns), np.float32)
        if config.refine_mode != "full":
            refined = select(resize(error, (rows, columns)), config).float().numpy()
        coarse.refiner.infer(
            {0: source[None], 1: plate[None], 2: output, 3: refined}, share_inputs=True
        )
        # Copied: the next frame of this size overwrites them.
        alpha = coarse.refiner.get_output_tensor(0).data[0, :height, :width].copy()
        foreground = coarse.refiner.get_output_tensor(1).data[0, :height, :width].copy()
        return Cutout(alpha, foreground)

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

    def _at(self, height: int, width: int, rows: int, columns: int) -> _Compiled:
        key = (height, width, rows, columns)
        if key not in self._compiled:
            self._compiled[key] = self._compile(height, width, rows, columns)
            if len(self._compiled) > SIZES_KEPT:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(key)
        return self._compiled[key]

    def _compile(self, height: int, width: int, rows: int, columns: int) -> _Compiled:
        small, frame = [1, 3, rows, columns], [1, 3, height, width]
        base = self._static(self._base, [small, small])
        patches = [1, 1, height // 4, width // 4]
        refiner = self._static(self._refiner, [frame, frame, [1, 37, rows, columns], patches])
        requests = []
        for model in (base, refiner):
            compiled = self._core.compile_model(model, "CPU", self._options)
            requests.append(compiled.create_infer_request())
        return _Compiled(*requests)

    def _static(self, model: Any, shapes: list[list[int]]) -> Any:
        """A copy for fixed sizes whose first two inputs, and pictures it gives, are bytes."""
        model = model.clone()
        model.reshape({i: openvino.PartialShape(shape) for i, shape in enumerate(shapes)})
        steps = PrePostProcessor(model)
        for i in (0, 1):
            pictures = steps.input(i)
            pictures.tensor().set_element_type(openvino.Type.u8)
            pictures.tensor().set_layout(openvino.Layout("NHWC"))
            pictures.preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
            pictures.model().set_layout(openvino.Layout("NCHW"))
        if len(model.outputs) == 2:
            for i, kind in enumerate((openvino.Type.f32, openvino.Type.u8)):
                steps.output(i).model().set_layout(openvino.Layout("NCHW"))
                steps.output(i).tensor().set_layout(openvino.Layout("NHWC"))
                steps.output(i).tensor().set_element_type(kind)
        return steps.build()


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The two networks, ready for one size; `base` holds the result that `refiner` reads."""

    base: Any
    refiner: Any


def _padded(picture: Bytes) -> Bytes:
    """Sides of multiples of 4, the refiner's patch, by repeating the border."""
    right, below = -picture.shape[1] % 4, -picture.shape[0] % 4
    if not right and not below:
        return np.ascontiguousarray(picture)
    padded = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded, dtype=np.uint8)

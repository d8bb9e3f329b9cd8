"""MediaPipe's selfie segmentation, what browsers' video calls commonly use; it needs no plate.

Steps as in MediaPipe's own graph (`selfie_segmentation_cpu`, 0.10.21): the picture is squeezed into
the network's input without regard to its shape, and the mask is stretched back bilinearly.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.comparators.package import MEDIAPIPE, ComparatorMissing, find
from models.evaluation.contender import Answer, Picture, Plane

Shape = Literal["square", "landscape"]

_FILES: Final[Mapping[Shape, str]] = {
    "square": "selfie_segmentation.tflite",
    "landscape": "selfie_segmentation_landscape.tflite",
}


class SelfieSegmentation:
    """One of MediaPipe's two networks, frame by frame, on the processor.

    Raises:
        ComparatorMissing: its file or the library that runs it is not here; says what to run.
    """

    def __init__(self, name: str, shape: Shape, folder: Path | None = None) -> None:
        """Load the network for `shape`; `folder` is where fetched files are."""
        path = find(MEDIAPIPE, _FILES[shape], folder)
        try:
            # Runs the networks' own operation, Convolution2DTransposeBias, through XNNPACK.
            interpreter = importlib.import_module("ai_edge_litert.interpreter").Interpreter
        except ModuleNotFoundError as error:
            raise ComparatorMissing(
                "ai-edge-litert, which runs MediaPipe's networks, is not installed: "
                "run `pip install ai-edge-litert` (extra `compare`)"
            ) from error
        self.name = name
        self.sha256: str | None = MEDIAPIPE.files[
            next(file for file in MEDIAPIPE.files if Path(file).name == path.name)
        ]
        self._interpreter: Any = interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input: Any = self._interpreter.get_input_details()[0]
        self._output: Any = self._interpreter.get_output_details()[0]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the network's input."""
        _, rows, columns, _ = (int(side) for side in self._input["shape"])
        return rows, columns

    @property
    def settings(self) -> Mapping[str, object]:
        """Which network, out of which package, run by what."""
        rows, columns = self.size
        return {
            "network": f"selfie segmentation, {columns}x{rows}",
            "package": f"{MEDIAPIPE.project} {MEDIAPIPE.version}",
            "licence": MEDIAPIPE.licence,
            "runtime": f"ai-edge-litert {importlib.metadata.version('ai-edge-litert')}",
        }

    def start(self) -> None:
        """Nothing to forget: the network answers every frame by itself."""

    def matte(self, source: Picture, plate: Picture) -> Answer:
        """See `Contender.matte`; the plate is not looked at, and no foreground is found."""
        self._interpreter.set_tensor(self._input["index"], squeeze(source, self.size)[None])
        self._interpreter.invoke()
        mask: NDArray[np.float32] = self._interpreter.get_tensor(self._output["index"])
        return Answer(stretch(mask[0, ..., 0], source.shape[:2]))


def squeeze(picture: Picture, size: tuple[int, int]) -> Picture:
    """A picture at the network's size, sampled as MediaPipe samples it.

    Bilinear without a filter against aliasing, corner on corner: pixel x of the result is read at
    x * W / w, not at (x + 1/2) * W / w - 1/2. `cv2.resize` would shift the mask by up to half a
    pixel of the network, and be unfair.
    """
    (height, width), (rows, columns) = picture.shape[:2], size
    corners = ((0, 1), (0, 0), (1, 0), (1, 1))
    large = np.array([(x * width, y * height) for x, y in corners], dtype=np.float32)
    small = np.array([(x * columns, y * rows) for x, y in corners], dtype=np.float32)
    levels = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    squeezed = cv2.warpPerspective(
        levels,
        cv2.getPerspectiveTransform(large, small),
        (columns, rows),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return squeezed.astype(np.float32) / np.float32(255)


def stretch(mask: Plane, size: tuple[int, ...]) -> Plane:
    """A mask at the frame's size (rows, columns), bilinearly."""
    rows, columns = size
    large = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.clip(large, 0, 1).astype(np.float32)

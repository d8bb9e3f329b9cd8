"""One picture and its plate, without a stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.backends import Backend, Image
from models.errors import PictureError
from models.pipeline import MattingPipeline
from models.plate import load_plate


def matte_picture(
    backend: Backend[Image], source: NDArray[np.uint8], plate: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Alpha (H, W), 0..1, and foreground (H, W, 3) of one picture (H, W, 3), RGB.

    The plate's exposure is fitted twice: to what most of the picture agrees on, then, once alpha is
    known, to what is around the person.

    Raises:
        PictureError: the pictures are of different sizes.
    """
    if source.shape != plate.shape:
        raise PictureError(
            f"source and plate must have the same size, not {source.shape[1]}x{source.shape[0]} "
            f"and {plate.shape[1]}x{plate.shape[0]}"
        )
    pipeline = MattingPipeline(backend, careful=True)
    pipeline.set_plate(load_plate(plate))
    pipeline.settle(source)
    pipeline.matte(source)
    pipeline.settle(source)
    return pipeline.matte(source)

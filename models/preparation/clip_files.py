"""A keyed clip as two videos: colours nearly without loss, alpha without any."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from models.errors import PictureError

Pixels = NDArray[np.uint8]

COLOURS: Final = {"crf": "12", "preset": "veryfast", "g": "12"}
ALPHA: Final = {"qp": "0", "preset": "veryfast", "g": "12"}
"""A key frame at least every twelve, because training reads frames in any order."""


class ClipFiles:
    """Two H.264 videos in MP4: full-range grey without loss for alpha, 4:4:4 for colours."""

    def __init__(self, foreground: Path, alpha: Path, rate: Fraction) -> None:
        self._paths, self._rate = (foreground, alpha), rate
        self._stack = contextlib.ExitStack()
        self._outputs: list[tuple[OutputContainer, VideoStream]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what the encoders still hold, and close both files."""
        with self._stack:
            if kind is None:
                for container, stream in self._outputs:
                    container.mux(stream.encode())

    def write(self, foreground: Pixels, alpha: Pixels) -> None:
        """One frame: foreground H x W x 3 RGB, alpha H x W; all frames have the first one's size.

        Raises:
            PictureError: the size changes.
        """
        if not self._outputs:
            self._open(*alpha.shape)
        stream = self._outputs[0][1]
        if alpha.shape != (stream.height, stream.width):
            raise PictureError(
                f"the clip changes its size from {stream.width}x{stream.height} to "
                f"{alpha.shape[1]}x{alpha.shape[0]}; cut it there and key both parts"
            )
        for (container, output), pixels, layout in zip(
            self._outputs, (foreground, alpha), ("rgb24", "gray"), strict=True
        ):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=layout)
            container.mux(output.encode(frame))

    def _open(self, height: int, width: int) -> None:
        for path, layout, options in zip(
            self._paths, ("yuv444p", "gray"), (COLOURS, ALPHA), strict=True
        ):
            container = self._stack.enter_context(av.open(str(path), "w"))
            stream = container.add_stream("libx264", rate=self._rate)
            stream.width, stream.height = width, height
            stream.pix_fmt = layout
            stream.options = dict(options)
            if layout == "gray":
                # Full range: 220 levels would be a loss.
                stream.codec_context.color_range = 2
            self._outputs.append((container, stream))

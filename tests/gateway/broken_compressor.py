"""A codec that fails, as a card does without its driver."""

import av
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext

from gateway.transport.compressors import X264, Shape


class Broken:
    """A compressor that fails, at once or after some frames."""

    speeds = 1

    def __init__(self, after: int = 0) -> None:
        self.left = after
        self._real = X264()

    def open(self, shape: Shape, ceiling: int, cores: int) -> VideoCodecContext:
        if not self.left:
            raise av.error.PermissionError(1, "no driver")
        return self._real.open(shape, ceiling, cores)

    def steer(
        self, codec: VideoCodecContext, frame: VideoFrame, bitrate: int, interval: float
    ) -> None:
        if not self.left:
            raise av.error.ExternalError(2, "the card fell off the bus")
        self.left -= 1
        self._real.steer(codec, frame, bitrate, interval)

"""A video file being written, with the sound of another."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from models.errors import PictureError

OPAQUE: Final = ("libx264", "yuv420p", {"crf": "18", "preset": "medium"})
TRANSPARENT: Final = {
    ".mov": ("prores_ks", "yuva444p10le", {"profile": "4444"}),
    ".webm": ("libvpx-vp9", "yuva420p", {"crf": "24", "b:v": "0", "row-mt": "1", "cpu-used": "4"}),
}
"""Codecs that keep alpha, by the suffix of the file that holds them."""

SOUND: Final = {
    ".mp4": ({"aac", "mp3", "ac3", "opus"}, "aac"),
    ".mov": ({"aac", "mp3", "ac3", "pcm_s16le"}, "aac"),
    ".mkv": ({"aac", "mp3", "ac3", "opus", "vorbis", "flac", "pcm_s16le"}, "aac"),
    ".webm": ({"opus", "vorbis"}, "libopus"),
}
"""Sound that is copied as it is, and the codec for all other, by suffix."""


class VideoSink:
    """Frames in order of time into a file; a context manager, which finishes the file."""

    def __init__(
        self,
        path: Path,
        like: InputContainer,
        size: tuple[int, ...],
        *,
        transparent: bool,
        sound: Path | None,
    ) -> None:
        """Open the file.

        Args:
            path: its suffix decides the container.
            like: rate and clock are those of its video.
            size: height and width of the frames.
            transparent: frames come as RGBA instead of RGB.
            sound: file whose first audio stream goes along.

        Raises:
            PictureError: the name or this FFmpeg do not allow it.
        """
        codec, self._format, options = _codec(path, transparent=transparent)
        self._path = path
        video = like.streams.video[0]
        try:
            self._container = av.open(str(path), "w")
        except (av.FFmpegError, ValueError, OSError) as error:
            raise PictureError(
                f"{path} cannot be written: use .mp4, .mov, .mkv or .webm"
            ) from error
        rate = video.average_rate or Fraction(30)
        # Typed as a stream of any kind; the codec says that it is video.
        added: Any = self._container.add_stream(codec, rate=rate, options=options)
        self._video = added
        self._video.height, self._video.width = size
        self._video.pix_fmt = self._format
        self._video.codec_context.time_base = video.time_base
        self._layout = "rgba" if transparent else "rgb24"
        self._sound = None if sound is None else _Sound(sound, self._container, path.suffix.lower())

    def __enter__(self) -> VideoSink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._video.encode(None))
                if self._sound is not None:
                    self._sound.finish()
        finally:
            if self._sound is not None:
                self._sound.close()
            self._container.close()
            if kind is not None:
                # Half a film looks like a whole one.
                self._path.unlink(missing_ok=True)

    def write(self, pixels: NDArray[np.uint8], pts: int | None, time_base: Fraction) -> None:
        """(H, W, 3) or, when transparent, (H, W, 4)."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=self._layout)
        frame = frame.reformat(format=self._format, dst_colorspace="ITU601")
        frame.pts, frame.time_base = pts, time_base
        if self._sound is not None and pts is not None:
            self._sound.copy_until(pts * time_base)
        self._container.mux(self._video.encode(frame))


class _Sound:
    """The audio of a file on its way into another."""

    def __init__(self, path: Path, out: Any, suffix: str) -> None:
        self._source = av.open(str(path))
        self._out = out
        self._packets: Any = iter(())
        self._encode = False
        self._held: Any = None
        if not self._source.streams.audio:
            return
        stream = self._source.streams.audio[0]
        copied, other = SOUND.get(suffix, SOUND[".mkv"])
        self._encode = stream.codec_context.name not in copied
        if self._encode:
            self._stream: Any = out.add_stream(other, rate=48000)
            self._resampler = av.AudioResampler("s16" if other == "libopus" else "fltp", rate=48000)
        else:
            self._stream = out.add_stream_from_template(stream)
        self._packets = self._source.demux(stream)

    def copy_until(self, seconds: Fraction | float) -> None:
        """Everything up to this time, so that sound and picture lie close together."""
        while True:
            packet = self._held or next(self._packets, None)
            self._held = None
            if packet is None:
                return
            if packet.dts is not None and packet.dts * packet.time_base > seconds:
                self._held = packet
                return
            self._pass(packet)

    def finish(self) -> None:
        """The rest."""
        self.copy_until(float("inf"))
        if self._encode:
            self._out.mux(self._stream.encode(None))

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()

    def _pass(self, packet: Any) -> None:
        if self._encode:
            for frame in packet.decode():
                for part in self._resampler.resample(frame):
                    self._out.mux(self._stream.encode(part))
        elif packet.dts is not None:  # the demuxer's last, empty one
            packet.stream = self._stream
            self._out.mux(packet)


def _codec(path: Path, *, transparent: bool) -> tuple[str, str, dict[str, str]]:
    suffix = path.suffix.lower()
    if transparent:
        if suffix not in TRANSPARENT:
            raise PictureError(
                f"{path.name} cannot be transparent: name it .mov (ProRes 4444) or .webm (VP9), or "
                "choose a --backdrop"
            )
        chosen = TRANSPARENT[suffix]
    else:
        chosen = OPAQUE if suffix != ".webm" else ("libvpx-vp9", "yuv420p", TRANSPARENT[".webm"][2])
    if chosen[0] not in av.codecs_available:
        raise PictureError(f"this FFmpeg cannot write {chosen[0]}: choose another file suffix")
    return chosen

"""Frames of videos by their number: what training on VideoMatte240K needs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final, Literal, TypeAlias

import av
import numpy as np

from models.scenes.errors import MaterialUnfit
from models.scenes.pictures import Decoded, Picture, joined

ENDINGS: Final = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm"})

Channels: TypeAlias = Literal["rgb24", "gray"]

_NEAR = 12
"""Going on decoding for this many frames is cheaper than seeking to a key frame."""


class Video:
    """One video file, read frame by frame in any order; the next frame in order is cheap.

    Their number is the header's, where it has one, so that opening many clips is quick. The index
    of frames is made from the packets, without decoding, when the first frame is asked for; that
    reads the whole file once. Can be pickled: the copy opens the file anew.

    Frames far from one another cost all frames since the key frame before: a large set that is
    drawn from at random is better unpacked into pictures.
    """

    def __init__(self, file: Path, channels: Channels) -> None:
        self.file, self.channels = file, channels
        self._count: int | None = None
        self._stamps: list[int] = []
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._next = -1

    def __reduce__(self) -> tuple[type[Video], tuple[Path, Channels]]:
        return Video, (self.file, self.channels)

    def __len__(self) -> int:
        """Frames in the file.

        Raises:
            MaterialUnfit: not a video.
        """
        if self._count is None:
            with self._open() as container:
                self._count = container.streams.video[0].frames
            if not self._count:
                self._count = len(self._indexed())
        return self._count

    def frame(self, index: int) -> Picture:
        """Frame number `index` as H x W x 3 (rgb24) or H x W (gray).

        Raises:
            MaterialUnfit: the file cannot be decoded there.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of the {len(self)} of {self.file}")
        stamps = self._indexed()
        if len(stamps) != len(self):
            raise self._unfit(f"its header promises {len(self)} frames, it has {len(stamps)}")
        stamp = stamps[index]
        if self._container is None or not self._next <= index < self._next + _NEAR:
            self._seek(stamp)
        try:
            for frame in self._frames:
                if frame.pts is not None and frame.pts >= stamp:
                    self._next = index + 1
                    return np.asarray(frame.to_ndarray(format=self.channels), dtype=np.uint8)
        except av.FFmpegError as error:
            self.close()
            raise self._unfit(f"frame {index}: {error}") from error
        self.close()
        raise self._unfit(f"it ends before frame {index}")

    def close(self) -> None:
        """Give the decoder back; the next frame opens it again."""
        if self._container is not None:
            self._container.close()
        self._container, self._frames, self._next = None, iter(()), -1

    def _seek(self, stamp: int) -> None:
        if self._container is None:
            self._container = self._open()
            # A loader's process has one core; its neighbours decode other clips.
            self._container.streams.video[0].codec_context.thread_count = 1
        stream = self._container.streams.video[0]
        self._container.seek(stamp, stream=stream, backward=True)
        self._frames = self._container.decode(stream)

    def _indexed(self) -> list[int]:
        if not self._stamps:
            self._stamps = self._index()
        return self._stamps

    def _index(self) -> list[int]:
        with self._open() as container:
            stream = container.streams.video[0]
            try:
                packets = container.demux(stream)
                stamps = sorted(p.pts for p in packets if p.pts is not None and not p.is_discard)
            except av.FFmpegError as error:
                raise self._unfit(str(error)) from error
        if not stamps:
            raise self._unfit("it holds no frames")
        return stamps

    def _open(self) -> av.container.InputContainer:
        try:
            container = av.open(str(self.file))
        except av.FFmpegError as error:
            raise self._unfit(str(error)) from error
        if not container.streams.video:
            container.close()
            raise self._unfit("it holds no video")
        return container

    def _unfit(self, why: str) -> MaterialUnfit:
        return MaterialUnfit(f"{self.file} cannot be read as a video ({why}); fetch it again")


class VideoClip(Decoded):
    """A pair of videos, colours and alpha, as H x W x 4 frames.

    Raises:
        MaterialUnfit: when first looked at, if the two differ in length or size.
    """

    def __init__(self, foreground: Path, alpha: Path) -> None:
        self.foreground, self.alpha = Video(foreground, "rgb24"), Video(alpha, "gray")

    def __len__(self) -> int:
        count, other = len(self.foreground), len(self.alpha)
        if count != other:
            raise MaterialUnfit(
                f"{self.foreground.file} has {count} frames but {self.alpha.file} has {other}; "
                "fetch both again"
            )
        return count

    def at(self, index: int) -> Picture:
        """Decode frame number `index`."""
        colours, alpha = self.foreground.frame(index), self.alpha.frame(index)
        return joined(colours, alpha, self.foreground.file, self.alpha.file)

    def close(self) -> None:
        """Give both decoders back."""
        self.foreground.close()
        self.alpha.close()


class AllFrames(Decoded):
    """Every frame of many clips, one after the other.

    Decoders of only a few clips stay open, because each holds several frames.
    """

    def __init__(self, clips: Sequence[Sequence[Picture]], open_at_once: int = 4) -> None:
        self._clips, self._open_at_once = clips, open_at_once
        self._ends: list[int] | None = None
        self._open: list[int] = []

    def __len__(self) -> int:
        return self._sums()[-1] if self._clips else 0

    def at(self, index: int) -> Picture:
        """Decode frame number `index`."""
        number = bisect_right(self._sums(), index)
        clip = self._clips[number]
        self._touch(number)
        return clip[index - (self._sums()[number - 1] if number else 0)]

    def _sums(self) -> list[int]:
        if self._ends is None:
            self._ends = list(accumulate(len(clip) for clip in self._clips))
        return self._ends

    def _touch(self, number: int) -> None:
        if number in self._open:
            self._open.remove(number)
        self._open.append(number)
        if len(self._open) > self._open_at_once:
            oldest = self._clips[self._open.pop(0)]
            if isinstance(oldest, VideoClip):
                oldest.close()

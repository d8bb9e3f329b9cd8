"""Video files for `cleanplate matte`: frames through the network, sound and timing as they were."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray
from tqdm import tqdm

from gateway.video_sink import VideoSink
from models.backdrop import Backdrop, Transparent
from models.errors import PictureError

Pixels = NDArray[np.uint8]

PLATE_FRAMES: Final = 31
"""Frames of a plate's clip that are used: about one second."""


def read_plate_clip(path: Path) -> Pixels:
    """The plate (H, W, 3) from a clip without the person; refused if something moves in it."""
    from models import colour
    from models.plate import learn_plate

    shots = []
    with open_video(path) as container:
        for rgb in _frames(container):
            shots.append(colour.to_i420(even(rgb.pixels)))
            if len(shots) == PLATE_FRAMES:
                break
    return learn_plate(shots).rgb


def matte_video(
    source: Path,
    plate: Pixels,
    backdrop: Backdrop,
    outputs: Mapping[str, Path],
    weights: str | None,
    device: str,
    *,
    align: bool,
) -> dict[str, object]:
    """Matte a video file; sound, size, frame times and rate stay.

    Raises:
        PictureError: a file cannot be read or written, or sizes differ.
        WeightsError, DeviceError: what the operator asked for is not there.
    """
    # Imports torch, which a wrong argument must not wait for.
    from models.alignment import align_plate
    from models.backends.choice import load_backend
    from models.compositing import compose, paint_backdrop
    from models.pipeline import MattingPipeline
    from models.plate import load_plate

    with contextlib.ExitStack() as stack:
        container = stack.enter_context(open_video(source))
        backend, chosen, name = load_backend(weights, device)
        pipeline: MattingPipeline[Any] = MattingPipeline(backend, careful=True)
        sinks: dict[str, VideoSink] = {}
        behind: Pixels | None = None
        count, began = 0, time.perf_counter()
        total = container.streams.video[0].frames or None
        bar = stack.enter_context(tqdm(total=total, unit="frame", file=sys.stderr, disable=None))
        for frame in _frames(container):
            pixels = even(frame.pixels)
            if not sinks:
                plate = even(plate)
                _check(pixels, plate)
                if align:
                    aligned = align_plate(pixels, plate)
                    if aligned.refusal:
                        bar.write(f"the plate stays where it is: {aligned.refusal}", sys.stderr)
                    plate = aligned.plate
                pipeline.set_plate(load_plate(plate))
                pipeline.settle(pixels)
                if not isinstance(backdrop, Transparent):
                    behind = paint_backdrop(backdrop, pixels.shape[0], pixels.shape[1], plate)
                sinks = {
                    kind: stack.enter_context(
                        VideoSink(
                            path,
                            container,
                            pixels.shape[:2],
                            transparent=kind == "out" and behind is None,
                            sound=source if kind == "out" else None,
                        )
                    )
                    for kind, path in outputs.items()
                }
            _check(pixels, plate)
            alpha, foreground = pipeline.matte(pixels)
            grey = np.rint(alpha * 255).astype(np.uint8)
            if behind is None:
                # Where nothing is seen no colour is kept: the scene must not hide behind alpha 0.
                foreground = np.where(grey[..., None] > 0, foreground, np.uint8(0)).astype(np.uint8)
                out = np.dstack([foreground, grey])
            else:
                out = compose(alpha, foreground, behind)
            pictures = {"out": out, "alpha": np.dstack([grey] * 3), "foreground": foreground}
            for kind, sink in sinks.items():
                sink.write(pictures[kind], frame.pts, frame.time_base)
            count += 1
            bar.update()
    if not count:
        raise PictureError(f"{source} has no frame that can be decoded")
    return {
        **{kind: str(path) for kind, path in outputs.items()},
        "width": plate.shape[1],
        "height": plate.shape[0],
        "frames": count,
        "ms_per_frame": round(1000 * (time.perf_counter() - began) / count, 1),
        "device": str(chosen),
        "backend": backend.name,
        "weights": name,
    }


class Frame:
    """One decoded frame, upright."""

    def __init__(self, frame: av.VideoFrame) -> None:
        """Convert it once."""
        rgb = frame.to_ndarray(format="rgb24")
        # Phones store how they were held: degrees counterclockwise that make the picture upright.
        turns = round(frame.rotation / 90) % 4
        self.pixels: Pixels = np.ascontiguousarray(np.rot90(rgb, turns), dtype=np.uint8)
        self.pts = frame.pts
        self.time_base = cast(Fraction, frame.time_base)


@contextlib.contextmanager
def open_video(path: Path) -> Iterator[InputContainer]:
    """A file with at least one video stream; raises `PictureError`."""
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise PictureError(f"{path} is neither a picture nor a video that can be read") from error
    with container:
        if not container.streams.video:
            raise PictureError(f"{path} has no video")
        yield container


def even(pixels: Pixels) -> Pixels:
    """Without the last row or column where a side is odd: 4:2:0 video has no half chroma."""
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    return np.ascontiguousarray(pixels[:height, :width])


def _frames(container: InputContainer) -> Iterator[Frame]:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    try:
        for frame in container.decode(stream):
            yield Frame(frame)
    except av.FFmpegError as error:
        raise PictureError(f"the video is damaged: {error.strerror}") from error


def _check(pixels: Pixels, plate: Pixels) -> None:
    if pixels.shape != plate.shape:
        raise PictureError(
            f"the plate is {plate.shape[1]}x{plate.shape[0]} and the video "
            f"{pixels.shape[1]}x{pixels.shape[0]}: both must come from the same camera at the same "
            "resolution"
        )

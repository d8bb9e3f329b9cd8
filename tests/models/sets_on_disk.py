"""Small sets in the layouts of the public ones, for the tests of their readers."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models.errors import MattingError
from models.scenes.material import Material
from models.scenes.public_sets import PUBLIC_SETS

SIZE = (24, 32)
"""Rows and columns of every picture."""


def colour(name: str) -> tuple[int, int, int]:
    """A colour that tells which file a picture came from."""
    code = zlib.crc32(name.encode())
    return code % 251, code // 251 % 251, code // 251**2 % 251


def write(file: Path, name: str, channels: int = 3) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    shade = (*colour(name), 255)[:channels] if channels > 1 else (colour(name)[0],)
    picture = np.full((*SIZE, channels), shade, np.uint8)
    assert cv2.imwrite(str(file), picture[..., ::-1] if channels == 3 else picture)


def write_pairs(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        write(folder / "fgr" / f"{name}.png", f"{folder}{name}")
        write(folder / "pha" / f"{name}.png", f"{folder}{name}", 1)


def write_video(file: Path, count: int, *, b_frames: int = 0) -> None:
    """Frame n is grey of the value 16 + 8 n."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "1", "g": "7"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = SIZE
        stream.pix_fmt, stream.codec_context.max_b_frames = "yuv420p", b_frames
        for index in range(count):
            pixels = np.full((*SIZE, 3), 16 + 8 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def lay_out(root: Path, set_name: str) -> Material:
    """A small set in its own layout, with enough files for every split it has."""
    numbers = [f"{index:04}" for index in range(40)]
    layout = PUBLIC_SETS[set_name].layout
    if set_name == "videomatte240k":
        for part in ("train", "test"):
            write_pairs(root / set_name / part, [f"{c}/{f:05}" for c in numbers for f in (0, 1)])
    elif PUBLIC_SETS[set_name].test_only:
        write_pairs(root / set_name, numbers)
    elif layout == "pairs":
        for part in ("train", "test"):
            write_pairs(root / set_name / part, numbers)
    elif layout == "backgrounds":
        for part in ("train", "test"):
            for name in numbers:
                write(root / set_name / part / "some" / f"{name}.jpg", f"{part}{name}")
    elif layout == "cut-outs":
        for name in numbers:
            write(root / set_name / f"{name}.png", name, 4)
    else:
        for name in numbers[1:]:
            for kind in ("bedroom", "kitchen"):
                write(root / set_name / f"{name}-{kind}.png", f"{name}{kind}")
    return Material(set_name, set_name)


@contextmanager
def complaint(kind: type[MattingError], *words: str) -> Iterator[None]:
    """What is done inside fails with an error that holds all the words."""
    with pytest.raises(kind) as caught:
        yield
    for word in words:
        assert word in str(caught.value)

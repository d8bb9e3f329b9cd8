"""Streams on a processor: the network sees the part of a frame where somebody may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models import colour
from models.backdrop import Colour
from models.operating_point import OperatingPoint
from models.pipeline import MattingPipeline
from models.plate import load_plate
from tests.models.ideal import Ideal

BLUE = (0, 0, 255)
RED = (240, 20, 20)


class Watched(Ideal):
    """Remembers how many columns it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: list[int] = []

    def base(self, source: Any, plate: Any, point: OperatingPoint) -> Any:
        self.columns.append(source.shape[3])
        return super().base(source, plate, point)


@pytest.fixture
def backend() -> Watched:
    return Watched()


def room(light: float = 1.0) -> np.ndarray:
    across = np.clip(np.linspace(60, 150, 256) * light, 0, 255)[None, :, None]
    return np.broadcast_to(across, (144, 256, 3)).astype(np.uint8)


def frame(*people: int, light: float = 1.0) -> np.ndarray:
    """I420, with somebody 40 columns wide from each of these columns on."""
    picture = room(light).copy()
    for first in people:
        picture[40:, first : first + 40] = RED
    return colour.to_i420(picture)


def started(backend: Watched, **settings: Any) -> MattingPipeline[Any]:
    pipeline = MattingPipeline(backend, **settings)
    pipeline.set_plate(load_plate(room()))
    pipeline.set_backdrop(Colour(*BLUE))
    pipeline.composite(frame(100))
    return pipeline


def test_the_network_sees_half_of_a_frame_and_the_composite_is_whole(backend: Watched):
    pipeline = started(backend)
    composite = pipeline.composite(frame(100))
    assert backend.columns == [256, 128]
    assert composite.quality is not None
    assert composite.quality.looked == 0.5
    rgb = colour.to_rgb(composite.pixels).astype(int)
    assert rgb.shape == (144, 256, 3)
    assert np.abs(rgb[44:140, 104:136] - RED).max() < 12
    assert np.abs(rgb[:, :96] - BLUE).max() < 12
    assert np.abs(rgb[:, 144:] - BLUE).max() < 12


def test_a_second_person_at_the_other_end_is_there_at_once(backend: Watched):
    pipeline = started(backend)
    pipeline.composite(frame(100))
    rgb = colour.to_rgb(pipeline.composite(frame(100, 210)).pixels).astype(int)
    assert np.abs(rgb[44:140, 214:246] - RED).max() < 12


def test_the_plate_of_a_region_has_the_light_of_the_frame(backend: Watched):
    pipeline = started(backend)
    for _ in range(12):
        composite = pipeline.composite(frame(100, light=1.2))
    assert backend.columns[-1] < 256
    rgb = colour.to_rgb(composite.pixels).astype(int)
    assert np.abs(rgb[:, :96] - BLUE).max() < 12
    assert composite.validity == "good"


def test_a_new_backdrop_is_seen_inside_the_region_and_around_it(backend: Watched):
    pipeline = started(backend)
    pipeline.composite(frame(100))
    pipeline.set_backdrop(Colour(255, 255, 255))
    rgb = colour.to_rgb(pipeline.composite(frame(100)).pixels)
    assert backend.columns[-1] == 128
    assert rgb[:36].min() > 240


def test_frames_that_are_seen_whole_look_the_same(backend: Watched):
    pipeline = started(backend)
    part = pipeline.composite(frame(100)).pixels.astype(int)
    pipeline.set_plate(load_plate(room()))
    whole = pipeline.composite(frame(100)).pixels
    assert backend.columns == [256, 128, 256]
    assert np.abs(whole - part).max() <= 2


def test_after_a_frame_that_failed_the_whole_is_looked_at(
    backend: Watched, monkeypatch: pytest.MonkeyPatch
):
    pipeline = started(backend)

    def fail(*_: Any) -> Any:
        raise RuntimeError("lost")

    with monkeypatch.context() as patched:
        patched.setattr(backend, "refine", fail)
        with pytest.raises(RuntimeError):
            pipeline.composite(frame(100))
    pipeline.composite(frame(100))
    assert backend.columns[-1] == 256


def test_files_are_looked_at_whole(backend: Watched):
    pipeline = started(backend, careful=True)
    pipeline.composite(frame(100))
    assert set(backend.columns) == {256}

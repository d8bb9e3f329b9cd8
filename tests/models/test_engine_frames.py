"""An engine whose frames are programs: together on the device, and each stream on its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from typing import Any

import numpy as np
import pytest
import torch

from models import colour
from models.backdrop import Colour
from models.engine import InProcessEngine, InProcessStream
from models.errors import MattingError
from models.report import I420
from tests.models.ideal import PATIENCE, Ideal, IdealFrames
from tests.models.random_network import make_network


class Opened:
    """An engine and the programs inside it."""

    def __init__(self) -> None:
        backend = Ideal()
        self.frames = IdealFrames(backend)
        make_frames: Any = lambda network, device: self.frames  # noqa: E731
        self.engine = InProcessEngine(
            device="cpu",
            network=make_network(),
            make_backend=lambda network, device: backend,
            make_frames=make_frames,
        )
        self.frames.launches.clear()
        self.frames.landing.clear()

    def stream(self) -> InProcessStream:
        """With a plate that needs no proof, and a blue backdrop."""
        stream = self.engine.open_stream()
        get(stream.learn_plate([frame(0)] * 10))
        get(stream.set_backdrop(Colour(0, 0, 255)))
        return stream


@pytest.fixture(scope="module")
def shared() -> Iterator[Opened]:
    opened = Opened()
    yield opened
    opened.engine.close()


@pytest.fixture
def opened(shared: Opened) -> Iterator[Opened]:
    yield shared
    frames = shared.frames
    if frames.gate is not None:
        release(shared)
    for stream in list(shared.engine._streams):
        stream.close()
    frames.failures.clear()
    frames.launches.clear()
    frames.full = False


def get(future: Future[Any]) -> Any:
    return future.result(PATIENCE)


def frame(number: int) -> I420:
    """A room with somebody in it whose first byte is a number."""
    across = np.linspace(60, 150, 128)[None, :, None]
    rgb = np.broadcast_to(across, (72, 128, 3)).astype(np.uint8)
    if number:
        rgb = rgb.copy()
        rgb[16:, 30:60] = (240, 20, 20)
    made = colour.to_i420(rgb)
    made[0, 0] = number
    return made


def person(composite: Any) -> np.ndarray:
    return colour.to_rgb(composite.pixels)[40, 45].astype(int)


def held(opened: Opened, stream: InProcessStream, number: int) -> Future[Any]:
    """A frame of `stream` that stays on the device until the gate opens."""
    opened.frames.gate = threading.Event()
    opened.frames.landing.clear()
    future = stream.composite(frame(number))
    assert opened.frames.landing.wait(PATIENCE)
    return future


def release(opened: Opened) -> None:
    assert opened.frames.gate is not None
    opened.frames.gate.set()
    opened.frames.gate = None


def test_frames_that_come_while_the_device_is_at_work_go_together(opened: Opened):
    streams = [opened.stream() for _ in range(4)]
    futures = [held(opened, streams[0], 1)]
    futures += [stream.composite(frame(n)) for n, stream in enumerate(streams[1:], 2)]
    release(opened)
    for composite in map(get, futures):
        assert np.abs(person(composite) - (240, 20, 20)).max() < 12
        assert composite.validity == "good"
    assert opened.frames.launches == [[1], [2, 3, 4]]


def test_no_more_go_together_than_the_device_takes(opened: Opened):
    streams = [opened.stream() for _ in range(6)]
    futures = [held(opened, streams[0], 1)]
    futures += [stream.composite(frame(n)) for n, stream in enumerate(streams[1:], 2)]
    release(opened)
    wait(futures, PATIENCE)
    assert [len(launch) for launch in opened.frames.launches] == [1, 4, 1]


def test_a_streams_frames_stay_in_order(opened: Opened):
    stream = opened.stream()
    futures = [held(opened, stream, 1)]
    futures += [stream.composite(frame(n)) for n in (2, 3)]
    stream.set_backdrop(Colour(0, 255, 0))
    futures.append(stream.composite(frame(4)))
    release(opened)
    composites = [get(future) for future in futures]
    assert opened.frames.launches == [[1], [2], [3], [4]]
    corners = [colour.to_rgb(composite.pixels)[4, 100].tolist() for composite in composites]
    assert [corner[1] > 200 for corner in corners] == [False, False, False, True]


def test_one_streams_failure_in_a_batch_is_not_the_others(opened: Opened):
    streams = [opened.stream() for _ in range(4)]
    opened.frames.failures[3] = RuntimeError("no such kernel")
    first = held(opened, streams[0], 1)
    futures = [stream.composite(frame(n)) for n, stream in enumerate(streams[1:], 2)]
    release(opened)
    assert get(first).has_plate
    assert get(futures[0]).has_plate
    assert get(futures[2]).has_plate
    with pytest.raises(MattingError, match="no such kernel"):
        get(futures[1])
    opened.frames.failures.clear()
    assert get(streams[2].composite(frame(5))).has_plate


def test_out_of_memory_refuses_one_stream_and_kills_none(opened: Opened):
    fits, refused = opened.stream(), opened.stream()
    opened.frames.failures[7] = torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(MattingError, match="refused"):
        get(refused.composite(frame(7)))
    assert get(fits.composite(frame(1))).has_plate
    opened.frames.full = True
    with pytest.raises(MattingError, match="memory is full"):
        opened.engine.open_stream()
    assert get(fits.composite(frame(1))).has_plate


def test_without_a_plate_nothing_of_a_frame_reaches_the_device(opened: Opened):
    stream = opened.engine.open_stream()
    assert not get(stream.composite(frame(1))).has_plate
    assert opened.frames.launches == []


def test_a_cancelled_frame_is_skipped(opened: Opened):
    stream = opened.stream()
    first = held(opened, stream, 1)
    second = stream.composite(frame(2))
    assert second.cancel()
    release(opened)
    assert get(first).has_plate
    assert get(stream.composite(frame(3))).has_plate
    assert opened.frames.launches == [[1], [3]]


def test_closing_finishes_what_is_on_the_device_and_leaves_no_thread():
    before = set(threading.enumerate())
    opened = Opened()
    stream = opened.stream()
    flying = held(opened, stream, 1)
    waiting = stream.composite(frame(2))
    closing = threading.Thread(target=opened.engine.close)
    closing.start()
    with pytest.raises(MattingError, match="closed"):
        get(waiting)
    release(opened)
    closing.join(PATIENCE)
    assert get(flying).has_plate
    assert set(threading.enumerate()) == before


def test_what_the_device_holds_is_known(opened: Opened):
    memory = opened.engine.memory()
    assert memory is not None
    assert memory.programs == 2

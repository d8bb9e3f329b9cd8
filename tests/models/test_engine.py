"""The engine keeps its promises to every stream, whatever another stream or the network does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any

import numpy as np
import pytest

from gateway.matting import Engine, MattingStream
from models import colour
from models.backdrop import Blur, Colour, Picture
from models.backends import Backend, Cutout
from models.backends.torch_backend import TorchBackend
from models.device import Device
from models.engine import InProcessEngine
from models.errors import MattingError, PictureError, PlateRefused
from models.network import MattingNetwork
from models.operating_point import OperatingPoint
from models.report import I420
from tests.models.random_network import make_network

PATIENCE = 60


class Moody(TorchBackend):
    """Fails or waits when told to."""

    def __init__(self, network: MattingNetwork, device: Device) -> None:
        super().__init__(network, device)
        self.failures: list[Exception] = []
        self.gate: threading.Event | None = None
        self.entered = threading.Event()
        self.frames: list[int] = []

    def upload(self, source: I420) -> Any:
        self.frames.append(int(source[0, 0]))
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)
        if self.failures:
            raise self.failures.pop()
        return super().upload(source)

    def refine(self, source: Any, plate: Any, coarse: object, point: OperatingPoint) -> Cutout[Any]:
        return super().refine(source, plate, coarse, point)


class Opened:
    """An engine and the backend inside it."""

    def __init__(self, **options: Any) -> None:
        self.backend: Moody

        def make(network: MattingNetwork, device: Device) -> Backend[Any]:
            self.backend = Moody(network, device)
            return self.backend

        self.engine = InProcessEngine(
            device="cpu", network=make_network(), make_backend=make, **options
        )


@pytest.fixture(scope="module")
def shared() -> Iterator[Opened]:
    opened = Opened()
    yield opened
    opened.engine.close()


@pytest.fixture
def opened(shared: Opened) -> Iterator[Opened]:
    shared.backend.failures.clear()
    shared.backend.frames.clear()
    shared.backend.gate = None
    shared.backend.entered.clear()
    yield shared
    for stream in list(shared.engine._streams):
        stream.close()


def room(seed: int = 0, height: int = 64, width: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(60, 200, (height, width, 3), dtype=np.uint8)


def source(seed: int = 0) -> I420:
    return colour.to_i420(room(seed))


def get(future: Future[Any]) -> Any:
    return future.result(PATIENCE)


def with_plate(opened: Opened) -> MattingStream:
    stream = opened.engine.open_stream()
    get(stream.load_plate(room()))
    return stream


def test_it_is_the_gateways_engine(opened: Opened):
    engine: Engine = opened.engine
    described = engine.describe()
    assert described.device == "cpu"
    assert described.backend == "torch fp32"
    assert described.recommended_width >= 640


def test_without_a_plate_only_the_backdrop_is_seen(opened: Opened):
    stream = opened.engine.open_stream()
    get(stream.set_backdrop(Colour(255, 0, 0)))
    first, second = get(stream.composite(source(1))), get(stream.composite(source(2)))
    assert (first.pixels == second.pixels).all()
    assert not first.has_plate
    assert first.validity == "none"
    assert colour.to_rgb(first.pixels)[0, 0].tolist() == pytest.approx([255, 0, 0], abs=3)


def test_a_blurred_scene_without_a_plate_shows_no_source(opened: Opened):
    stream = opened.engine.open_stream()
    get(stream.set_backdrop(Blur()))
    pixels = get(stream.composite(source(1))).pixels
    assert np.ptp(pixels[:64]) == 0


def test_with_a_plate_frames_are_composited_and_timed(opened: Opened):
    stream = with_plate(opened)
    get(stream.set_backdrop(Picture(np.full((10, 10, 3), 250, np.uint8))))
    composite = get(stream.composite(source(3)))
    assert composite.has_plate
    assert composite.pixels.shape == source().shape
    # A plate from a picture has to prove itself first: nothing to download but the backdrop.
    stages = ("upload", "plate", "base", "refine", "composite")
    assert sum(composite.milliseconds[s] for s in stages) == pytest.approx(
        composite.milliseconds["total"]
    )


def test_a_plate_of_another_size_and_a_new_size_of_the_source_work(opened: Opened):
    stream = with_plate(opened)
    for height, width in [(32, 48), (64, 96), (90, 160)]:
        frame = colour.to_i420(room(1, height, width))
        assert get(stream.composite(frame)).pixels.shape == frame.shape


def test_a_failing_network_fails_one_frame_as_a_matting_error(opened: Opened):
    stream, other = with_plate(opened), with_plate(opened)
    opened.backend.failures.append(RuntimeError("out of memory"))
    failed = stream.composite(source())
    with pytest.raises(MattingError, match="out of memory"):
        get(failed)
    assert get(other.composite(source())).has_plate
    assert get(stream.composite(source())).has_plate


def test_a_frame_that_is_none_is_the_callers_fault(opened: Opened):
    stream = opened.engine.open_stream()
    with pytest.raises(PictureError):
        get(stream.composite(np.zeros((3, 3, 3), np.uint8)))


def test_a_refused_capture_keeps_the_old_plate(opened: Opened):
    stream = with_plate(opened)
    with pytest.raises(PlateRefused) as refusal:
        get(stream.learn_plate([source()] * 3))
    assert refusal.value.reason == "too-few"
    assert (get(stream.plate_picture()) == room()).all()


def test_a_capture_becomes_the_plate(opened: Opened):
    stream = opened.engine.open_stream()
    report = get(stream.learn_plate([source()] * 10))
    assert (report.width, report.height) == (96, 64)
    assert report.shots == 9
    picture = get(stream.plate_picture())
    assert np.abs(picture.astype(int) - colour.to_rgb(source())).max() == 0


def test_a_forgotten_plate_stays_forgotten(opened: Opened):
    stream = opened.engine.open_stream()
    learning = stream.learn_plate([source()] * 10)
    get(stream.forget_plate())
    wait([learning], PATIENCE)
    assert get(stream.plate_picture()) is None
    assert not get(stream.composite(source())).has_plate


def test_streams_take_turns(opened: Opened):
    busy, quiet = with_plate(opened), with_plate(opened)
    opened.backend.gate = threading.Event()
    marked = [source() for _ in range(6)]
    for number, frame in enumerate(marked):
        frame[0, 0] = number
    futures = [busy.composite(marked[0])]
    assert opened.backend.entered.wait(PATIENCE)
    futures += [busy.composite(frame) for frame in marked[1:5]]
    futures.append(quiet.composite(marked[5]))
    opened.backend.gate.set()
    wait(futures, PATIENCE)
    # The quiet stream waits for the frame at work and one more, not for the busy stream's queue.
    assert opened.backend.frames.index(5) <= 2
    assert [n for n in opened.backend.frames if n < 5] == [0, 1, 2, 3, 4]


def test_a_caller_that_never_waits_is_stopped(opened: Opened):
    stream = with_plate(opened)
    opened.backend.gate = threading.Event()
    futures = [stream.composite(source()) for _ in range(70)]
    refused = [f for f in futures if f.done()]
    opened.backend.gate.set()
    assert refused
    with pytest.raises(MattingError, match="waiting"):
        get(refused[0])
    wait(futures, PATIENCE)


def test_closing_a_stream_fails_what_waits_and_frees_its_place(opened: Opened):
    stream = with_plate(opened)
    opened.backend.gate = threading.Event()
    at_work, waiting = stream.composite(source()), stream.composite(source())
    assert opened.backend.entered.wait(PATIENCE)
    stream.close()
    stream.close()
    opened.backend.gate.set()
    with pytest.raises(MattingError, match="closed"):
        get(waiting)
    get(at_work)
    with pytest.raises(MattingError, match="closed"):
        get(stream.composite(source()))


def test_a_cancelled_call_is_skipped(opened: Opened):
    stream = with_plate(opened)
    opened.backend.gate = threading.Event()
    first, second = stream.composite(source()), stream.composite(source())
    assert opened.backend.entered.wait(PATIENCE)
    assert second.cancel()
    opened.backend.gate.set()
    assert get(first).has_plate
    assert get(stream.composite(source())).has_plate


def test_a_full_engine_says_so_and_a_closed_one_leaves_no_thread():
    before = set(threading.enumerate())
    opened = Opened(capacity=1)
    stream = opened.engine.open_stream()
    with pytest.raises(MattingError, match="full"):
        opened.engine.open_stream()
    get(stream.learn_plate([source()] * 10))
    opened.engine.close()
    opened.engine.close()
    assert set(threading.enumerate()) == before
    for late in (stream.composite(source()), stream.learn_plate([source()] * 10)):
        with pytest.raises(MattingError, match="closed"):
            get(late)
    with pytest.raises(MattingError, match="closed"):
        opened.engine.open_stream()


def test_a_backend_that_cannot_be_opened_is_reported_and_leaves_no_thread():
    before = set(threading.enumerate())

    def broken(network: MattingNetwork, device: Device) -> Backend[Any]:
        raise MattingError("no such luck")

    make: Callable[[MattingNetwork, Device], Backend[Any]] = broken
    with pytest.raises(MattingError, match="luck"):
        InProcessEngine(device="cpu", network=make_network(), make_backend=make)
    assert set(threading.enumerate()) == before

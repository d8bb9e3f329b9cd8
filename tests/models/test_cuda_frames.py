"""Whole frames as graphs on a GPU: `make test-gpu`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from models.backdrop import Colour, Picture
from models.backends import Backend
from models.backends.choice import composite
from models.backends.torch_backend import TorchBackend
from models.benchmark.contestants import EnginePath, together
from models.benchmark.programs import make_jobs
from models.benchmark.scene import make_scene
from models.device import Device, choose_device
from models.engine import InProcessEngine
from models.errors import MattingError
from models.graphs.frame import FrameKey
from models.graphs.opening import TOLERANCE, open_frames, self_test
from models.graphs.pixels import TorchPixels, apart, open_pixels
from models.graphs.recording import CudaGraphs, Steps
from models.graphs.runner import BATCHES, FrameRunner
from models.network import MattingConfig, MattingNetwork
from models.operating_point import OperatingPoint, operating_point
from models.pipeline import MattingPipeline
from models.plate import load_plate
from tests.models.whole_frames import make_published, room, source

pytestmark = pytest.mark.gpu

LIMIT = TOLERANCE["float16"]


@pytest.fixture(scope="module")
def device() -> Device:
    device = choose_device("cuda")
    device.prepare()
    return device


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return make_published()


@pytest.fixture(scope="module")
def runner(network: MattingNetwork, device: Device) -> FrameRunner:
    return FrameRunner(network, device, recorder=CudaGraphs(device))


@pytest.fixture(scope="module")
def steps(network: MattingNetwork, device: Device) -> FrameRunner:
    return FrameRunner(network, device, recorder=Steps(), pixels=TorchPixels())


def test_graphs_show_what_the_reference_shows(
    runner: FrameRunner, network: MattingNetwork, device: Device
):
    assert self_test(runner, network, device) < LIMIT


def test_without_graphs_and_triton_it_is_the_same(
    steps: FrameRunner, network: MattingNetwork, device: Device
):
    assert self_test(steps, network, device) < LIMIT


def test_graphs_and_triton_are_what_this_machine_gets(
    network: MattingNetwork, device: Device, caplog: pytest.LogCaptureFixture
):
    pytest.importorskip("triton")
    with caplog.at_level(logging.WARNING):
        opened = open_frames(network, device)
    assert opened is not None
    assert opened.name == "graphs, triton"
    assert not caplog.records


def test_tritons_kernels_do_what_torch_does(device: Device):
    pytest.importorskip("triton")
    from models.graphs.triton_pixels import TritonPixels

    assert apart(TritonPixels(), device) == ""
    assert open_pixels(device).name == "triton"


@pytest.mark.parametrize("backbone", ["mobilenetv2", "resnet50"])
def test_other_networks_and_kernels_are_graphs_too(backbone: Any, device: Device):
    torch.manual_seed(2)
    for kernel in (1, 3):
        network = MattingNetwork(MattingConfig(backbone, refine_kernel=kernel)).eval()  # type: ignore[arg-type]
        runner = FrameRunner(network, device)
        assert self_test(runner, network, device) < LIMIT


@pytest.mark.parametrize("size", [(360, 640), (720, 1280), (1080, 1920), (2160, 3840), (486, 866)])
def test_every_usual_size_in_a_graph_is_what_it_is_in_steps(
    size: tuple[int, int], runner: FrameRunner, steps: FrameRunner, device: Device
):
    point = operating_point(*size, accelerator=True)
    scene = make_scene(*size)
    shown = []
    for each in (runner, steps):
        jobs = make_jobs(each, device, FrameKey(*size, point), scene, 3)
        shown.append([result.composite for result in each.launch(jobs).finish()])
    for one, other in zip(*shown, strict=True):
        # Some of the worst patches differ: errors that round alike are chosen as they come.
        assert np.abs(one.astype(int) - other).mean() < LIMIT


def test_batches_on_their_way_together_keep_their_frames(runner: FrameRunner, device: Device):
    key = FrameKey(360, 640, OperatingPoint(0.5, 16_000))
    jobs = make_jobs(runner, device, key, make_scene(360, 640), 8)
    alone = [runner.launch([job]).finish()[0].composite for job in jobs]
    for count in BATCHES:
        first, second = jobs[:count], jobs[::-1][:count]
        for _ in range(5):
            flights = [runner.launch(first), runner.launch(second)]
            for flight, batch in zip(flights, (first, second), strict=True):
                for job, result in zip(batch, flight.finish(), strict=True):
                    right = alone[jobs.index(job)]
                    assert np.abs(result.composite.astype(int) - right).mean() < 0.05


def test_a_third_batch_on_its_way_is_refused(runner: FrameRunner, device: Device):
    key = FrameKey(360, 640, OperatingPoint(0.5, 16_000))
    (job,) = make_jobs(runner, device, key, make_scene(360, 640), 1)
    flights = [runner.launch([job]), runner.launch([job])]
    with pytest.raises(RuntimeError, match="two batches"):
        runner.launch([job])
    for flight in flights:
        flight.finish()


def test_a_new_plate_and_a_new_backdrop_show_at_once(
    runner: FrameRunner, network: MattingNetwork, device: Device
):
    backend = TorchBackend(network, device)
    frame = source(1, 360, 640)
    pipeline = MattingPipeline(backend, frames=runner)
    for seed, colour in [(1, (0, 0, 255)), (1, (255, 255, 255)), (2, (0, 255, 0))]:
        pipeline.set_plate(load_plate(room(seed, 360, 640)))
        pipeline.set_backdrop(Colour(*colour))
        fresh = MattingPipeline(backend, frames=runner)
        fresh.set_plate(load_plate(room(seed, 360, 640)))
        fresh.set_backdrop(Colour(*colour))
        one, other = (composite(each, frame, runner).pixels for each in (pipeline, fresh))
        assert np.abs(one.astype(int) - other).mean() < 0.05


@pytest.fixture
def engine(network: MattingNetwork) -> Iterator[InProcessEngine]:
    engine = InProcessEngine(device="cuda", network=network)
    yield engine
    engine.close()


def test_streams_of_an_engine_share_the_device(engine: InProcessEngine):
    scene = make_scene(360, 640)
    streams = [engine.open_stream() for _ in range(4)]
    for number, stream in enumerate(streams):
        stream.load_plate(scene.plate).result(60)
        stream.set_backdrop(Colour(60 * number, 0, 0)).result(60)
    results: dict[int, list[np.ndarray]] = {}

    def show(number: int) -> None:
        results[number] = [
            streams[number].composite(scene.sources[n % 8]).result(60).pixels for n in range(40)
        ]

    threads = [threading.Thread(target=show, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, stream in enumerate(streams):
        alone = stream.composite(scene.sources[39 % 8]).result(60).pixels
        assert np.abs(results[number][-1].astype(int) - alone).mean() < 1


def test_memory_does_not_grow_with_frames(engine: InProcessEngine):
    scene = make_scene(360, 640)
    path = EnginePath(engine, scene)
    together([path], scene, 0.2)
    before = torch.cuda.memory_allocated()
    for _ in range(100):
        path.frame(scene.sources[0])
    assert torch.cuda.memory_allocated() <= before
    memory = engine.memory()
    assert memory is not None
    assert memory.reserved >= memory.programs


def show_4k(engine: InProcessEngine) -> None:
    """A stream of the largest size, for some frames."""
    stream = engine.open_stream()
    picture = np.full((2304, 4096, 3), 90, np.uint8)
    stream.load_plate(picture).result(60)
    stream.set_backdrop(Picture(picture)).result(60)
    for _ in range(30):
        stream.composite(np.full((3456, 4096), 128, np.uint8)).result(60)


def test_without_memory_a_stream_is_refused_and_another_goes_on(
    engine: InProcessEngine, device: Device
):
    scene = make_scene(360, 640)
    path = EnginePath(engine, scene)
    free, _ = torch.cuda.mem_get_info()
    hoard = torch.empty(max(free - 300_000_000, 1), dtype=torch.uint8, device="cuda")
    try:
        with pytest.raises(MattingError, match="memory"):
            show_4k(engine)
        assert path.frame(scene.sources[0]).pixels.shape == scene.sources[0].shape
    finally:
        del hoard
        device.release_memory()


def test_where_recording_fails_frames_go_in_steps(
    network: MattingNetwork,
    device: Device,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    def fail(self: CudaGraphs, work: Any) -> Any:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(CudaGraphs, "record", fail)
    with caplog.at_level(logging.WARNING):
        opened = open_frames(network, device)
    assert opened is not None
    assert opened.name.startswith("steps")
    assert "cannot be recorded" in caplog.text


def test_without_programs_the_backend_goes_on_alone(network: MattingNetwork):
    def no_frames(network: MattingNetwork, device: Device) -> FrameRunner | None:
        return None

    def backend(network: MattingNetwork, device: Device) -> Backend[Any]:
        return TorchBackend(network, device)

    engine = InProcessEngine(
        device="cuda", network=network, make_backend=backend, make_frames=no_frames
    )
    try:
        assert engine.memory() is None
        path = EnginePath(engine, make_scene(360, 640))
        assert "refine" in path.frame(source(1, 360, 640)).milliseconds
    finally:
        engine.close()

"""A stream whose frames are programs shows what one in steps shows, and never more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models import colour
from models.backdrop import Colour
from models.backends.choice import composite
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.graphs.opening import _At, open_frames, self_test
from models.graphs.recording import Steps, Work
from models.graphs.runner import FrameRunner
from models.network import MattingNetwork
from models.operating_point import OperatingPoint
from models.pipeline import MattingPipeline
from models.plate import load_plate
from tests.models.ideal import Ideal, IdealFrames
from tests.models.random_network import make_network
from tests.models.whole_frames import make_published

CPU = choose_device("cpu")


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return make_published()


def test_programs_pass_their_self_test(network: MattingNetwork):
    assert self_test(FrameRunner(network, CPU), network, CPU) < 0.1


def test_programs_of_another_network_do_not_pass(network: MattingNetwork):
    assert self_test(FrameRunner(make_network(), CPU), network, CPU) > 3


def test_a_program_that_misses_a_frame_does_not_pass(network: MattingNetwork):
    class Late(Steps):
        """Replays only every second time."""

        def record(self, work: Work) -> Work:
            turn = iter(range(1000))
            return lambda: work() if next(turn) % 2 else None

    assert self_test(FrameRunner(network, CPU, recorder=Late()), network, CPU) > 3


def test_a_processor_has_no_programs(network: MattingNetwork):
    assert open_frames(network, CPU) is None


def make(frames: bool = True) -> tuple[MattingPipeline[Any], Any]:
    backend = Ideal()
    runner: Any = IdealFrames(backend) if frames else None
    pipeline: MattingPipeline[Any] = MattingPipeline(backend, frames=runner)
    pipeline.set_backdrop(Colour(0, 0, 255))
    return pipeline, runner


def room(height: int = 72, width: int = 128) -> np.ndarray:
    across = np.linspace(60, 150, width)[None, :, None]
    return np.broadcast_to(across, (height, width, 3)).astype(np.uint8)


def with_person(light: float = 1.0) -> np.ndarray:
    picture = np.clip(room() * light, 0, 255).astype(np.uint8)
    picture[16:, 30:60] = (240, 20, 20)
    return colour.to_i420(picture)


def only_backdrop(frame: np.ndarray) -> bool:
    return bool(np.abs(colour.to_rgb(frame).astype(int) - (0, 0, 255)).max() < 12)


def test_the_first_frame_has_the_exposure_of_its_own_light_already():
    pipeline, runner = make()
    pipeline.set_plate(load_plate(room()))
    composite(pipeline, with_person(light=1.3), runner)
    fitted = runner.plates[-1][0, 0, 0].numpy() * 255
    steps = MattingPipeline(runner.backend)
    steps.set_plate(load_plate(room()))
    steps.composite(with_person(light=1.3))
    tracker: Any = steps._tracker
    expected = np.clip(room()[0, :, 0] * tracker.fit.gain[0] + 255 * tracker.fit.offset[0], 0, 255)
    assert fitted == pytest.approx(expected, abs=2)


def test_a_camera_that_turns_away_is_noticed_in_the_same_frame_as_in_steps():
    rng = np.random.default_rng(0)
    wide = np.kron(rng.integers(40, 200, (9, 20, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    still, turned = (colour.to_i420(np.ascontiguousarray(wide[:, x : x + 128])) for x in (0, 20))
    (program, runner), (steps, _) = make(), make(frames=False)
    for pipeline in (program, steps):
        pipeline.set_plate(load_plate(np.ascontiguousarray(wide[:, :128])))
    hidden = []
    for frame in [still] * 4 + [turned] * 20 + [still] * 40:
        one, other = composite(program, frame, runner), steps.composite(frame)
        assert one.validity == other.validity
        assert only_backdrop(one.pixels) == only_backdrop(other.pixels)
        hidden.append(one.validity == "invalid")
    assert any(hidden)
    assert not hidden[-1]


def test_an_old_plate_never_shows_another_room_not_even_for_a_frame():
    rng = np.random.default_rng(5)
    rooms = np.kron(rng.integers(40, 200, (2, 9, 16, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    pipeline, runner = make()
    pipeline.set_plate(load_plate(rooms[0]), proven=False)
    for _ in range(30):
        assert only_backdrop(composite(pipeline, colour.to_i420(rooms[1]), runner).pixels)


def test_without_a_plate_there_is_nothing_for_a_program_to_do():
    pipeline, runner = make()
    assert pipeline.key(with_person()) is None
    first = composite(pipeline, with_person(), runner)
    assert not first.has_plate
    assert only_backdrop(first.pixels)
    pipeline.set_plate(load_plate(room()))
    assert pipeline.key(with_person()) is not None
    pipeline.set_plate(None)
    assert only_backdrop(composite(pipeline, with_person(), runner).pixels)


def test_a_frame_that_was_begun_and_never_finished_is_not_relied_upon():
    pipeline, runner = make()
    pipeline.set_plate(load_plate(room()))
    composite(pipeline, with_person(), runner)
    pipeline.begin(with_person())
    assert pipeline._alpha is None
    assert composite(pipeline, with_person(), runner).has_plate


def test_what_was_freed_is_made_again():
    pipeline, runner = make()
    pipeline.set_plate(load_plate(room()))
    before = [composite(pipeline, with_person(), runner).pixels for _ in range(2)][-1]
    pipeline.free()
    after = composite(pipeline, with_person(), runner)
    assert after.has_plate
    assert np.abs(after.pixels.astype(int) - before).max() <= 1


def test_the_self_test_looks_as_it_says():
    point = OperatingPoint(base_scale=0.5, refine_pixels=16)
    pipeline = _At(TorchBackend(make_network(), choose_device("cpu")), point)
    assert pipeline._ladder.at((96, 160)).point == point

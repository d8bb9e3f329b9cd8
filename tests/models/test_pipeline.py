"""One stream's state: caches that follow what they depend on, and pictures matted alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models import colour
from models.backdrop import Blur, Colour
from models.backends import Fit
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.errors import MattingError, PictureError
from models.governor import Governor, Workload
from models.operating_point import LEVELS, OperatingPoint
from models.pipeline import MattingPipeline
from models.plate import load_plate
from models.still import matte_picture
from tests.models.ideal import Ideal
from tests.models.random_network import make_network

PERSON = np.s_[16:, 30:60]


class Remembering(Ideal):
    """Keeps the plates it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.plates: list[Any] = []

    def base(self, source: Any, plate: Any, point: OperatingPoint) -> Any:
        self.plates.append(plate)
        return super().base(source, plate, point)


@pytest.fixture(scope="module")
def backend() -> Remembering:
    return Remembering()


def room(height: int = 72, width: int = 128) -> np.ndarray:
    across = np.linspace(60, 150, width)[None, :, None]
    return np.broadcast_to(across, (height, width, 3)).astype(np.uint8)


def source(light: float = 1.0) -> np.ndarray:
    picture = np.clip(room() * light, 0, 255).astype(np.uint8)
    picture[PERSON] = (240, 20, 20)
    return picture


def test_the_person_stays_and_the_scene_goes(backend: Remembering):
    pipeline = MattingPipeline(backend)
    pipeline.set_plate(load_plate(room()))
    pipeline.set_backdrop(Colour(0, 0, 255))
    rgb = colour.to_rgb(pipeline.composite(colour.to_i420(source())).pixels).astype(int)
    assert np.abs(rgb[20:68, 34:56] - (240, 20, 20)).max() < 12
    assert np.abs(rgb[:10] - (0, 0, 255)).max() < 12


def test_exposure_is_fitted_to_the_plate_and_not_to_the_person(backend: Remembering):
    pipeline = MattingPipeline(backend, careful=True)
    pipeline.set_plate(load_plate(room()))
    for _ in range(12):
        composite = pipeline.composite(colour.to_i420(source(light=1.3)))
    fitted = backend.plates[-1][0, 0, 0] * 255
    assert fitted.numpy() == pytest.approx(room()[0, :, 0] * 1.3, abs=4)
    assert composite.validity == "good"


def test_a_new_backdrop_and_a_new_plate_show_at_once(backend: Remembering):
    pipeline = MattingPipeline(backend)
    frame = colour.to_i420(source())
    pipeline.set_backdrop(Blur(10))
    without = pipeline.composite(frame).pixels
    pipeline.set_plate(load_plate(room()))
    blurred = pipeline.composite(frame).pixels
    pipeline.set_backdrop(Colour(255, 255, 255))
    white = pipeline.composite(frame).pixels
    assert np.ptp(without[:72]) == 0
    assert 60 < blurred[:10].mean() < 160
    assert white[:10].min() > 225


def test_a_forgotten_plate_leaves_the_backdrop_alone(backend: Remembering):
    pipeline = MattingPipeline(backend)
    pipeline.set_plate(load_plate(room()))
    pipeline.composite(colour.to_i420(source()))
    pipeline.set_plate(None)
    composite = pipeline.composite(colour.to_i420(source()))
    assert not composite.has_plate
    assert np.ptp(composite.pixels[:72]) == 0


def test_what_it_returns_belongs_to_the_caller(backend: Remembering):
    pipeline = MattingPipeline(backend)
    frame = colour.to_i420(source())
    pipeline.composite(frame).pixels[:] = 0
    assert pipeline.composite(frame).pixels.max() > 0


def test_a_failed_frame_is_not_relied_upon(backend: Remembering, monkeypatch: pytest.MonkeyPatch):
    pipeline = MattingPipeline(backend)
    pipeline.set_plate(load_plate(room()))
    pipeline.composite(colour.to_i420(source()))

    def fail(*_: Any) -> Any:
        raise RuntimeError("lost")

    with monkeypatch.context() as patched:
        patched.setattr(backend, "refine", fail)
        with pytest.raises(RuntimeError):
            pipeline.composite(colour.to_i420(source()))
    assert pipeline.composite(colour.to_i420(source())).has_plate


def test_a_picture_in_another_light_is_matted(backend: Remembering):
    alpha, foreground = matte_picture(backend, source(light=1.3), room())
    assert alpha.shape == (72, 128)
    assert alpha[PERSON].min() == 1
    assert alpha[:14].max() == 0
    assert (foreground == source(light=1.3)).all()


def test_pictures_of_odd_sizes_are_matted_by_the_network():
    backend = TorchBackend(make_network(), choose_device("cpu"))
    alpha, foreground = matte_picture(backend, room(71, 97), room(71, 97))
    assert alpha.shape == (71, 97)
    assert foreground.shape == (71, 97, 3)


def test_pictures_of_different_sizes_are_refused(backend: Remembering):
    with pytest.raises(PictureError, match="128x72 and 64x36"):
        matte_picture(backend, source(), room(36, 64))


def test_no_picture_is_matted_without_a_plate(backend: Remembering):
    with pytest.raises(MattingError, match="plate"):
        MattingPipeline(backend).matte(source())


def test_no_fit_leaves_the_plate_untouched(backend: Remembering):
    plate = backend.upload_rgb(room())
    assert backend.adjust(plate, Fit()) is plate


def test_a_camera_that_turned_away_shows_the_backdrop_alone(backend: Remembering):
    rng = np.random.default_rng(3)
    wide = np.kron(rng.integers(40, 200, (9, 32, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    pipeline = MattingPipeline(backend)
    pipeline.set_plate(load_plate(wide[:, :128]))
    pipeline.set_backdrop(Colour(0, 0, 255))
    turned = colour.to_i420(wide[:, 20:148])
    # Until it is noticed, a third of a second at 30 frames a second.
    composites = [pipeline.composite(turned) for _ in range(20)]
    rgb = colour.to_rgb(composites[-1].pixels).astype(int)
    assert composites[-1].validity == "invalid"
    assert np.abs(rgb - (0, 0, 255)).max() < 12
    for _ in range(60):
        back = pipeline.composite(colour.to_i420(wide[:, :128]))
    assert back.validity == "good"


def test_an_old_plate_never_shows_another_room_not_even_for_a_frame(backend: Remembering):
    rng = np.random.default_rng(5)
    rooms = np.kron(rng.integers(40, 200, (2, 9, 16, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    pipeline = MattingPipeline(backend)
    pipeline.set_backdrop(Colour(0, 0, 255))
    pipeline.set_plate(load_plate(rooms[0]), proven=False)
    for _ in range(30):
        rgb = colour.to_rgb(pipeline.composite(colour.to_i420(rooms[1])).pixels).astype(int)
        assert np.abs(rgb - (0, 0, 255)).max() < 12


def test_an_old_plate_is_not_even_shown_out_of_focus_before_it_has_fitted(backend: Remembering):
    pipeline = MattingPipeline(backend)
    pipeline.set_backdrop(Blur(24))
    pipeline.set_plate(load_plate(np.full((72, 128, 3), (200, 40, 40), np.uint8)), proven=False)
    for _ in range(30):
        rgb = colour.to_rgb(pipeline.composite(colour.to_i420(room())).pixels).astype(int)
        assert np.abs(rgb - (32, 34, 38)).max() < 12
    pipeline.set_plate(load_plate(room()), proven=False)
    for _ in range(20):
        composite = pipeline.composite(colour.to_i420(room()))
    assert composite.validity == "good"
    rgb = colour.to_rgb(composite.pixels).astype(int)
    assert np.abs(rgb[36, 20:108] - room()[36, 20:108]).max() < 12


def test_a_plate_has_to_prove_itself_to_another_camera_or_a_turned_one(backend: Remembering):
    pipeline = MattingPipeline(backend)
    pipeline.set_plate(load_plate(room()))
    still = colour.to_i420(room())
    assert pipeline.composite(still).validity == "good"
    pipeline.distrust_plate()
    assert pipeline.composite(still).validity == "invalid"
    for _ in range(20):
        composite = pipeline.composite(still)
    assert composite.validity == "good"
    assert pipeline.composite(colour.to_i420(room(128, 72))).validity == "invalid"


def test_a_browser_that_scales_its_picture_needs_no_proof(backend: Remembering):
    pipeline = MattingPipeline(backend)
    pipeline.set_plate(load_plate(room()))
    pipeline.composite(colour.to_i420(room()))
    assert pipeline.composite(colour.to_i420(room(36, 64))).validity == "good"


class Slow:
    """Takes `milliseconds` for every frame, on a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_slow_device_mattes_smaller_frames_and_says_so(backend: Remembering):
    clock = Slow()
    governor = Governor(Workload(30, clock))
    pipeline = MattingPipeline(backend, governor=governor)
    empty = np.full((720, 1280, 3), (90, 110, 100), np.uint8)
    person = empty.copy()
    person[160:, 300:600] = (240, 20, 20)
    pipeline.set_plate(load_plate(empty))
    pipeline.set_backdrop(Colour(0, 0, 255))
    pipeline.composite(colour.to_i420(person))
    while governor.level + 1 < governor.levels:
        clock.now += 0.1
        governor.measured(100, governor.level)
    composite = pipeline.composite(colour.to_i420(person))
    assert composite.quality is not None
    assert composite.quality.level == len(LEVELS) - 1
    assert composite.pixels.shape == (360 * 3 // 2, 640)
    rgb = colour.to_rgb(composite.pixels).astype(int)
    assert np.abs(rgb[100:, 160:290] - (240, 20, 20)).max() < 40
    assert np.abs(rgb[:60] - (0, 0, 255)).max() < 12


def test_a_size_that_is_still_being_made_ready_shows_the_backdrop_alone(
    backend: Remembering, monkeypatch: pytest.MonkeyPatch
):
    made: list[str] = []
    monkeypatch.setattr(backend, "ready", lambda *_: bool(made))
    pipeline = MattingPipeline(backend, governor=Governor(Workload(30)))
    pipeline.set_plate(load_plate(room()))
    pipeline.set_backdrop(Colour(0, 0, 255))
    frame = colour.to_i420(source())
    waiting = pipeline.composite(frame)
    assert waiting.has_plate
    assert waiting.quality is None
    assert np.ptp(waiting.pixels[:72]) == 0
    made.append("networks of this size")
    assert np.ptp(pipeline.composite(frame).pixels[:72]) > 0


def test_the_fitted_plate_stays_the_same_picture_while_the_light_does(
    backend: Remembering,
):
    pipeline = MattingPipeline(backend)
    pipeline.set_plate(load_plate(room()))
    for _ in range(50):
        pipeline.composite(colour.to_i420(source(light=1.2)))
    last = [id(plate) for plate in backend.plates[-3:]]
    assert len(set(last)) == 1
    pipeline.composite(colour.to_i420(source(light=0.9)))
    assert id(backend.plates[-1]) != last[-1]


def test_another_size_of_the_same_view_keeps_what_is_known_of_the_plate(backend: Remembering):
    pipeline = MattingPipeline(backend)
    pipeline.set_plate(load_plate(room()))
    pipeline.set_backdrop(Colour(0, 0, 255))
    frame = colour.to_i420(source())
    pipeline.composite(frame)
    pipeline.distrust_plate()
    smaller = colour.reduced(frame, (36, 64))
    assert np.ptp(pipeline.composite(frame).pixels[:72]) == 0
    assert np.ptp(pipeline.composite(smaller).pixels[:36]) == 0  # the doubt remains
    for _ in range(40):
        proven = pipeline.composite(frame)
    assert np.ptp(proven.pixels[:72]) > 0
    assert np.ptp(pipeline.composite(smaller).pixels[:36]) > 0  # and so does the proof

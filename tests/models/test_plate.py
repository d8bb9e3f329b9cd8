"""A plate is the empty scene, or a refusal that says why."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models import colour
from models.errors import PictureError, PlateRefused
from models.plate import _median, learn_plate, load_plate
from tests.models.clips import Rgb, compressed, film, person, plain, scene

ROOM = scene()


def refusal(shots: list[np.ndarray]) -> str:
    with pytest.raises(PlateRefused) as refused:
        learn_plate(shots)
    return refused.value.reason


def test_the_plate_is_cleaner_than_its_shots():
    shots = plain(film(lambda i: ROOM, noise=4))
    expected = colour.to_rgb(colour.to_i420(ROOM)).astype(float)
    plate = learn_plate(shots)
    error = np.abs(plate.rgb - expected).mean()
    assert error < 0.35 * np.abs(colour.to_rgb(shots[0]) - expected).mean()


def test_the_noise_of_the_camera_is_measured_per_pixel():
    rng = np.random.default_rng(0)
    shots = []
    for _ in range(30):
        noisy = ROOM.astype(float)
        noisy[:, :320] += rng.normal(0, 2, (360, 320, 1))
        noisy[:, 320:] += rng.normal(0, 6, (360, 320, 1))
        shots.append(colour.to_i420(np.clip(noisy, 0, 255).astype(np.uint8)))
    noise = learn_plate(shots).noise * 255
    assert noise.shape == (360, 640)
    assert noise[:, 20:300].mean() == pytest.approx(2, rel=0.3)
    assert noise[:, 340:620].mean() == pytest.approx(6, rel=0.2)


def test_the_report_describes_the_capture():
    report = learn_plate(plain(film(lambda i: ROOM))).report
    assert (report.width, report.height, report.shots) == (640, 360, 29)
    assert report.brightness == pytest.approx(ROOM.mean() / 255, abs=0.08)
    assert report.sharpness > 0.2
    assert report.motion == 0


def test_a_compressed_capture_is_accepted():
    report = learn_plate(compressed(film(lambda i: ROOM), "libvpx", 600_000)).report
    assert report.width == 640


def test_a_person_walking_through_is_refused():
    assert refusal(plain(film(lambda i: person(ROOM, 20 * i)))) == "moved"


def test_a_dark_room_is_refused():
    assert refusal(plain(film(lambda i: ROOM * 0.08, noise=1))) == "too-dark"


def test_an_overexposed_room_is_refused():
    assert refusal(plain(film(lambda i: np.clip(ROOM * 2.2, 0, 255)))) == "too-bright"


def test_a_bright_window_is_not_an_overexposed_room():
    room = ROOM.copy()
    room[:200, :220] = 255
    assert learn_plate(plain(film(lambda i: room))).report.shots


def test_a_camera_out_of_focus_is_refused():
    blurred = cv2.GaussianBlur(ROOM, (0, 0), 6)
    assert refusal(plain(film(lambda i: blurred))) == "blurred"


def test_a_plain_wall_is_not_a_blurred_one():
    wall = np.linspace(120, 160, 640)[None, :, None] + np.zeros((360, 640, 3))
    assert learn_plate(plain(film(lambda i: wall))).report.sharpness == 1.0


def test_a_webcam_that_is_a_little_soft_is_accepted():
    soft = cv2.GaussianBlur(ROOM, (0, 0), 1.6)
    assert learn_plate(plain(film(lambda i: soft))).report.sharpness < 0.3


def test_too_few_shots_are_refused():
    assert refusal(plain(film(lambda i: ROOM, frames=7))) == "too-few"
    assert refusal([]) == "too-few"


def test_shots_of_another_size_do_not_count():
    def small(i: int) -> Rgb:
        return cv2.resize(ROOM, (320, 180), interpolation=cv2.INTER_AREA)

    shots = [*plain(film(small, frames=5)), *plain(film(lambda i: ROOM, frames=12))]
    assert learn_plate(shots).report.width == 640
    assert refusal([*plain(film(small, frames=5)), *plain(film(lambda i: ROOM, frames=6))]) == (
        "too-few"
    )


def test_what_is_no_frame_is_the_callers_fault():
    with pytest.raises(PictureError):
        learn_plate([np.zeros((4, 4), np.uint8)] * 10)


def test_a_picture_becomes_a_plate_as_it_is():
    plate = load_plate(ROOM)
    assert (plate.rgb == ROOM).all()
    assert plate.report.shots == 1
    assert plate.noise.shape == (360, 640)
    for wrong in (ROOM[..., 0], ROOM.astype(float), ROOM[:0]):
        with pytest.raises(PictureError):
            load_plate(wrong)


@pytest.mark.parametrize("count", [1, 3, 9, 17, 31])
def test_the_sorting_network_finds_the_median(count: int):
    stack = np.random.default_rng(count).integers(0, 256, (count, 9, 14), dtype=np.uint8)
    assert (_median(stack) == np.median(stack, axis=0)).all()

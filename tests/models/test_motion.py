"""Motion is told from noise, exposure and compression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.motion import measure_motion
from tests.models.clips import Rgb, compressed, film, person, plain, scene, shifted

ROOM = scene()

STILL: dict[str, Callable[[int], Rgb]] = {
    "nothing happens": lambda i: ROOM,
    "exposure flickers by 2 %": lambda i: np.clip(ROOM * (1 + 0.02 * np.sin(i)), 0, 255),
    "exposure drifts by 3 %": lambda i: np.clip(ROOM * (1 + 0.001 * i), 0, 255),
}

MOVING: dict[str, Callable[[int], Rgb]] = {
    "a person walks through": lambda i: person(ROOM, 60 + 16 * i),
    "a person sways by 1.5 pixels": lambda i: person(ROOM, 320 + 1.5 * i / 30),
    "a person breathes": lambda i: person(ROOM, 320, swell=1.2 * np.sin(i / 30 * 1.6)),
    "a person leaves late": lambda i: person(ROOM, 560 + 10 * i) if i < 12 else ROOM,
    "the camera slides": lambda i: shifted(ROOM, 0.8 * i / 30),
    "the camera shakes": lambda i: shifted(ROOM, 0, 1.2 * np.sin(i / 6)),
}

CODECS = [("", 0), ("libvpx", 1_000_000), ("libvpx", 300_000), ("libx264", 400_000)]


def seen(make: Callable[[int], Rgb], codec: str, rate: int) -> np.ndarray:
    shots = film(make)
    return np.stack(compressed(shots, codec, rate) if codec else plain(shots))


@pytest.mark.parametrize(("codec", "rate"), CODECS)
@pytest.mark.parametrize("what", STILL)
def test_a_still_scene_is_still(what: str, codec: str, rate: int):
    motion = measure_motion(seen(STILL[what], codec, rate))
    assert not motion.moved, str(motion)


@pytest.mark.parametrize("what", MOVING)
def test_motion_is_seen_through_a_poor_connection(what: str):
    motion = measure_motion(seen(MOVING[what], "libvpx", 300_000))
    assert motion.moved, str(motion)


@pytest.mark.parametrize(("seconds", "seen"), [(1.0, False), (3.0, True)])
def test_shallow_breath_is_seen_in_three_seconds_and_not_in_one(seconds: float, seen: bool):
    def breathing(i: int) -> Rgb:
        time = seconds * i / 30
        return person(ROOM, 320, swell=0.25 * np.sin(time * 2 * np.pi / 4))

    motion = measure_motion(np.stack(plain(film(breathing))))
    assert motion.moved is seen, str(motion)


def test_strong_noise_is_not_motion():
    assert not measure_motion(np.stack(plain(film(lambda i: ROOM, noise=10)))).moved


def test_a_person_who_does_not_move_at_all_cannot_be_seen():
    # A limit, written down: they look like the scene.
    assert not measure_motion(np.stack(plain(film(lambda i: person(ROOM, 320))))).moved


def test_a_small_bright_thing_that_moves_is_seen():
    def toy(i: int) -> Rgb:
        picture = ROOM.copy()
        picture[200:240, 100 + 4 * i : 140 + 4 * i] = 230
        return picture

    assert measure_motion(np.stack(plain(film(toy)))).moved

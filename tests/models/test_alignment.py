"""A plate taken by hand is laid over the source, or left alone."""

from __future__ import annotations

import cv2
import numpy as np

from models.alignment import align_plate
from tests.models.clips import person, scene

ROOM = scene()


def turned(picture: np.ndarray, degrees: float, dx: float) -> np.ndarray:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[0, 2] += dx
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)


def test_a_shaken_plate_is_moved_back():
    source = person(ROOM, 320)
    plate = turned(ROOM, 1.5, 8)
    alignment = align_plate(source, plate)
    assert alignment.refusal == ""
    assert 5 < alignment.moved < 40
    inner = np.s_[40:-40, 60:220]
    before = np.abs(plate[inner].astype(int) - ROOM[inner]).mean()
    after = np.abs(alignment.plate[inner].astype(int) - ROOM[inner]).mean()
    assert after < before / 3


def test_another_place_is_left_alone():
    other = np.ascontiguousarray(ROOM[::-1, ::-1])
    alignment = align_plate(ROOM, other)
    assert alignment.refusal
    assert alignment.plate is other


def test_pictures_without_detail_are_left_alone():
    blank = np.full((100, 100, 3), 128, np.uint8)
    assert align_plate(blank, blank).refusal

"""Pictures that processes share."""

import os
from multiprocessing import Pipe, resource_sharer

import numpy as np
import pytest

from models.scenes.kept import Kept

PICTURES = [
    np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
    np.full((3, 1, 3), 200, np.uint8),
    np.arange(100, 112, dtype=np.uint8).reshape(1, 4, 3),
]


def test_kept_pictures_are_the_pictures() -> None:
    kept = Kept(PICTURES, "pictures")
    assert len(kept) == 3
    for known, one in zip(PICTURES, kept, strict=True):
        assert np.array_equal(known, one)
    assert np.array_equal(kept[-1], PICTURES[-1])
    with pytest.raises(IndexError):
        kept[3]


def test_who_gets_them_sent_sees_the_same_memory_and_spoils_nothing() -> None:
    kept = Kept(PICTURES, "pictures")
    ours, theirs = Pipe()
    ours.send(kept)
    received = theirs.recv()
    resource_sharer.stop(timeout=10)
    assert os.path.sameopenfile(received._memory, kept._memory)
    received[0][:] = 7
    assert (received[0] == 7).all()
    assert np.array_equal(kept[0], PICTURES[0])
    for each in (ours, theirs):
        each.close()

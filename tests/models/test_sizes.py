"""Networks for frames of one size each: made beside, kept in use, forgiven after a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from models.backends.sizes import FORGIVEN, IN_USE, KEPT, Sizes


class Workshop:
    """Makes what it is asked for, unless it is told to fail."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.broken = False
        self.now = 0.0
        self.open = threading.Event()
        self.open.set()

    def make(self, key: int) -> str:
        assert self.open.wait(30)
        self.made.append(key)
        if self.broken:
            raise RuntimeError("no memory")
        return f"networks of {key}"


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture
def sizes(workshop: Workshop) -> Iterator[Sizes[int, str]]:
    sizes = Sizes(workshop.make, lambda: workshop.now)
    yield sizes
    workshop.open.set()
    sizes.close()


def test_asking_begins_the_work_and_does_not_wait(workshop: Workshop, sizes: Sizes[int, str]):
    workshop.open.clear()
    assert not sizes.ready(1)
    workshop.open.set()
    assert sizes.get(1) == "networks of 1"
    assert sizes.ready(1)
    assert workshop.made == [1]


def test_what_nobody_asks_for_goes_first(workshop: Workshop, sizes: Sizes[int, str]):
    for key in range(KEPT):
        sizes.get(key)
    workshop.now += IN_USE + 1
    sizes.get(0)
    sizes.get(KEPT)
    sizes.get(0)
    assert workshop.made.count(0) == 1
    sizes.get(1)
    assert workshop.made.count(1) == 2


def test_streams_at_work_push_out_nothing_of_each_others(
    workshop: Workshop, sizes: Sizes[int, str]
):
    for _ in range(3):
        for key in range(2 * KEPT):
            sizes.get(key)
            workshop.now += 0.01
    assert len(workshop.made) == 2 * KEPT


def test_what_failed_is_known_for_a_while_and_then_tried_again(
    workshop: Workshop, sizes: Sizes[int, str]
):
    assert not sizes.failed(1)
    workshop.broken = True
    with pytest.raises(RuntimeError, match="no memory"):
        sizes.get(1)
    assert sizes.failed(1)
    assert not sizes.failed(2)
    workshop.now += FORGIVEN + 1
    assert not sizes.failed(1)
    workshop.broken = False
    assert sizes.get(1) == "networks of 1"
    assert not sizes.failed(1)


def test_a_failure_is_known_though_nobody_waited_for_it(workshop: Workshop, sizes: Sizes[int, str]):
    workshop.broken = True
    sizes.ready(1)
    sizes.ready(2)
    with pytest.raises(RuntimeError):
        sizes.get(2)  # made one after the other
    assert sizes.failed(1)
    assert workshop.made == [1, 2]

"""Streams take turns, and frames that can go together wait for each other a little."""

from __future__ import annotations

from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import numpy as np

from models.call import Call, FrameCall
from models.graphs.frame import FrameKey
from models.operating_point import OperatingPoint
from models.turns import ACTIVE, Pick, Turns

SMALL = FrameKey(360, 640, OperatingPoint(0.5, 1600))
LARGE = FrameKey(720, 1280, OperatingPoint(0.375, 1600))
PATIENCE = 0.002


class Keyed:
    """A pipeline as far as the choice goes."""

    def __init__(self, key: FrameKey | None) -> None:
        self._key = key

    def key(self, source: Any) -> FrameKey | None:
        return self._key


class Street:
    """Turns with a clock that stands still unless it is moved."""

    def __init__(self, most: int = 8, patience: float = PATIENCE) -> None:
        self.now = 50.0
        self.turns: Turns[str] = Turns(lambda _: most, patience=patience, clock=lambda: self.now)
        self.names: dict[int, str] = {}

    def open(self, *streams: str) -> None:
        for stream in streams:
            self.turns.open(stream)

    def frame(self, stream: str, key: FrameKey | None = SMALL) -> None:
        pipeline: Any = Keyed(key)
        self._add(stream, FrameCall(Future(), pipeline, np.zeros((3, 2), np.uint8)))

    def call(self, stream: str) -> None:
        self._add(stream, Call(Future(), lambda: None))

    def pick(self, *, hurry: bool = False) -> str:
        """The streams whose calls are done now."""
        return " ".join(self.names[id(call)] for call in self.pick_whole(hurry=hurry).calls)

    def pick_whole(self, *, hurry: bool = False) -> Pick[str]:
        return self.turns.pick(hurry=hurry)

    def _add(self, stream: str, call: Call[Any]) -> None:
        self._kept = [*getattr(self, "_kept", []), call]  # so that no id is used twice
        self.names[id(call)] = stream
        self.turns.add(stream, call)


def used(*streams: str, **options: Any) -> Street:
    """A street whose streams have had a frame each, and none waits."""
    street = Street(**options)
    street.open(*streams)
    for stream in streams:
        street.frame(stream)
    while (pick := street.pick_whole(hurry=True)).calls:
        street.turns.done(pick.at_work)
    return street


def test_a_stream_alone_never_waits():
    street = used("a")
    street.frame("a")
    assert street.pick() == "a"


def test_a_frame_waits_for_the_stream_that_is_about_to_send_one():
    street = used("a", "b")
    street.frame("a")
    pick = street.pick_whole()
    assert not pick.calls
    assert pick.until == street.now + PATIENCE
    street.now += PATIENCE / 2
    street.frame("b")
    assert street.pick() == "a b"


def test_nobody_waits_longer_than_patience():
    street = used("a", "b")
    street.frame("a")
    street.now += PATIENCE
    assert street.pick() == "a"


def test_a_stream_that_fell_silent_is_not_waited_for():
    street = used("a", "b")
    street.now += ACTIVE
    street.frame("a")
    assert street.pick() == "a"


def test_a_stream_of_another_size_is_not_waited_for():
    street = Street()
    street.open("a", "b")
    street.frame("a", SMALL)
    street.frame("b", LARGE)
    for _ in range(2):
        street.turns.done(street.pick_whole(hurry=True).at_work)
    street.frame("a", SMALL)
    assert street.pick() == "a"


def test_while_the_device_is_at_work_frames_do_not_wait_for_others():
    street = used("a", "b")
    street.frame("a")
    assert street.pick(hurry=True) == "a"


def test_nothing_waits_when_nothing_can_join():
    street = used("a", "b", "c", most=2)
    street.frame("a")
    street.frame("b")
    assert street.pick() == "a b"


def test_frames_of_another_size_go_their_own_way_in_their_turn():
    street = Street()
    street.open("a", "b", "c", "d")
    for stream, key in [("a", SMALL), ("b", LARGE), ("c", SMALL), ("d", LARGE)]:
        street.frame(stream, key)
    assert street.pick() == "a c"
    assert street.pick() == "b d"


def test_while_a_frame_waits_others_are_served():
    street = used("a", "b", "c")
    street.frame("a")
    street.call("c")
    assert street.pick() == "c"
    assert street.pick() == ""


def test_a_busy_stream_does_not_starve_a_quiet_one():
    street = used("busy", "quiet", most=1)
    for _ in range(3):
        street.frame("busy")
    street.frame("quiet")
    order = []
    for _ in range(4):
        pick = street.pick_whole(hurry=True)
        order += [street.names[id(call)] for call in pick.calls]
        street.turns.done(pick.at_work)
    assert order == ["busy", "quiet", "busy", "busy"]


def test_with_more_streams_than_lanes_nobody_waits_for_more_than_one_batch():
    street = used(*"abc", most=2)
    served: dict[str, list[int]] = {stream: [] for stream in "abc"}
    for number in range(6):
        for stream in "abc":
            if not street.turns.waiting(stream):
                street.frame(stream)
        pick = street.pick_whole(hurry=True)
        assert len(pick.calls) == 2
        for call in pick.calls:
            served[street.names[id(call)]].append(number)
        street.turns.done(pick.at_work)
    for numbers in served.values():
        times = [-1, *numbers, 6]
        assert max(after - before for before, after in pairwise(times)) <= 2


def test_a_streams_next_call_waits_for_its_frame():
    street = used("a")
    street.frame("a")
    street.call("a")
    pick = street.pick_whole()
    assert len(pick.calls) == 1
    assert street.pick(hurry=True) == ""
    street.turns.done(pick.at_work)
    assert street.pick() == "a"


def test_calls_of_a_stream_keep_their_order():
    street = used("a")
    street.call("a")
    street.frame("a")
    assert not street.pick_whole().at_work
    assert street.pick_whole().at_work == ["a"]


def test_a_frame_without_a_program_goes_alone():
    street = used("a", "b")
    street.frame("a", None)
    street.frame("b", None)
    assert street.pick() == "a"
    assert street.pick() == "b"


def test_a_stream_that_is_removed_while_its_frame_is_at_work_is_forgotten():
    street = used("a", "b")
    street.frame("a")
    street.frame("a")
    pick = street.pick_whole(hurry=True)
    assert len(street.turns.remove("a")) == 1
    street.turns.done(pick.at_work)
    assert street.pick(hurry=True) == ""

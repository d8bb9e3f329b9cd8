"""The governor gives up quality for the rate, and takes it back without swinging."""

from __future__ import annotations

import logging

import pytest

from models.governor import FRAMES, LONGEST_PATIENCE, MEMORY, PATIENCE, Governor, Workload


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Machine:
    """Takes so many milliseconds at each level; the camera sends 30 frames a second."""

    def __init__(self, *costs: float, camera: float = 30.0) -> None:
        self.clock = Clock()
        self.costs = list(costs)
        self.camera = camera
        self.governor = Governor(Workload(30, self.clock), len(costs))
        self.visited = [0]

    def run(self, seconds: float) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            cost = self.costs[self.governor.level]
            self.clock.now += max(cost / 1000, 1 / self.camera)
            self.governor.measured(cost, self.governor.level)
            if self.governor.level != self.visited[-1]:
                self.visited.append(self.governor.level)


def test_a_fast_machine_gives_up_nothing():
    machine = Machine(20, 15, 10)
    machine.run(60)
    assert machine.visited == [0]


def test_a_slow_machine_goes_down_within_two_seconds_to_the_first_level_that_fits():
    machine = Machine(60, 45, 30, 20)
    machine.run(2.5)
    assert machine.governor.level == 2


def test_a_slow_frame_is_no_reason():
    machine = Machine(25, 15)
    for index in range(10 * FRAMES):
        cost = 100 if index % 5 == 0 else 25
        machine.clock.now += cost / 1000
        machine.governor.measured(cost, 0)
    assert machine.governor.level == 0


def test_the_least_level_is_kept_where_nothing_fits():
    machine = Machine(90, 80, 70)
    machine.run(30)
    assert machine.governor.level == 2


def test_a_camera_slower_than_promised_may_have_slower_frames():
    machine = Machine(50, 30, camera=15)
    machine.run(10)
    assert machine.governor.level == 0


def test_quality_comes_back_when_the_machine_is_free_again():
    machine = Machine(60, 45, 25)
    machine.run(5)
    assert machine.governor.level == 2
    machine.costs = [20, 15, 10]
    machine.run(MEMORY + 3 * PATIENCE)
    assert machine.governor.level == 0


def test_it_does_not_swing_between_a_level_that_fits_and_one_that_does_not():
    machine = Machine(40, 20)
    machine.run(600)
    attempts = machine.visited.count(0) - 1
    # One attempt when what level 0 took is forgotten, then less and less often.
    assert attempts <= 600 / LONGEST_PATIENCE + 4
    share_of_time_below = machine.visited.count(1) / len(machine.visited)
    assert share_of_time_below >= 0.5
    assert machine.governor.level == 1


def test_frames_of_the_level_before_do_not_condemn_the_new_one():
    machine = Machine(60, 25, 20)
    machine.run(1.5)
    assert machine.governor.level == 1
    for _ in range(10 * FRAMES):
        machine.clock.now += 0.06
        machine.governor.measured(60, 0)  # the new level is still being made
    assert machine.governor.level == 1


def test_another_size_is_measured_anew():
    machine = Machine(60, 45, 25)
    machine.run(5)
    machine.governor.restart(3)
    machine.costs = [10, 10, 10]
    machine.run(3 * PATIENCE + 1)
    assert machine.governor.level == 0


def test_a_change_is_told_in_the_log(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "models.governor"):
        Machine(60, 20).run(1.5)
    assert "60 ms a frame, 33 allowed: quality level 1 after 0" in caplog.text


def test_streams_share_what_was_promised():
    clock = Clock()
    load = Workload(30, clock)
    for _ in range(20):
        for stream in ("anna", "bert"):
            clock.now += 0.015
            load.worked(stream, 0.015)
    assert load.promised == pytest.approx(1000 / 60)
    assert load.busy == pytest.approx(1.0)


def test_a_stream_that_has_stopped_takes_no_share():
    clock = Clock()
    load = Workload(30, clock)
    load.worked("anna", 0.01)
    clock.now += 10
    load.worked("bert", 0.5)
    assert load.promised == pytest.approx(1000 / 30)
    assert load.busy == pytest.approx(0.25)


def test_frames_that_are_no_measure_move_nothing():
    machine = Machine(25, 15)
    for _ in range(10 * FRAMES):
        machine.clock.now += 0.06
        machine.governor.measured(60, 0, usual=False)
    assert machine.governor.level == 0


def test_what_frames_cost_when_more_of_them_was_seen_bars_no_better_level():
    machine = Machine(60, 25)
    for _ in range(4 * FRAMES):  # somebody leans in
        machine.clock.now += machine.costs[machine.governor.level] / 1000
        machine.governor.measured(machine.costs[machine.governor.level], machine.governor.level)
    assert machine.governor.level == 1
    for _ in range(round(MEMORY * 30 / 2)):  # and leans back
        machine.clock.now += 1 / 30
        machine.governor.measured(13, machine.governor.level, share=0.5)
    assert machine.governor.level == 0

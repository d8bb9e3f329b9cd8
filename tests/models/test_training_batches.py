"""Batches follow from the seed and their number."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data._utils.pin_memory import pin_memory

from models.scenes import camera, streaming
from models.scenes.sample import Batch
from models.training.batches import Batches, Joined, load, open_material
from models.training.plan import Source
from tests.models.small_plan import small_plan, small_stage


@pytest.fixture
def cast(material: Path):
    return opened(material, keep=False)


def opened(material: Path, *, keep: bool):
    plan = small_plan()
    return open_material(plan, plan.stage("base"), material, "train", keep=keep)


@pytest.mark.parametrize("keep", [False, True])
def test_a_batch_is_the_same_whenever_and_by_whomever_it_is_made(
    material: Path, keep: bool
) -> None:
    batches = Batches(small_stage(steps=6), *opened(material, keep=keep), seed=7)
    first = [batches[step] for step in range(6)]
    here = list(load(batches, 2, 0, pin=False))
    elsewhere = list(load(batches, 2, 2, pin=False))
    assert len(here) == len(elsewhere) == 4
    for known, one, other in zip(first[2:], here, elsewhere, strict=True):
        for name in ("source", "plate", "alpha", "foreground"):
            assert torch.equal(getattr(known, name), getattr(one, name))
            assert torch.equal(getattr(known, name), getattr(other, name))


def test_another_seed_and_another_step_show_something_else(cast) -> None:
    stage = small_stage(widths=(32, 32), steps=4)
    one, other = Batches(stage, *cast, seed=1), Batches(stage, *cast, seed=2)
    assert not torch.equal(one[0].source, one[1].source)
    assert not torch.equal(one[0].source, other[0].source)


def test_sizes_stay_within_the_limits_and_on_the_multiple(cast) -> None:
    stage = small_stage(heights=(32, 61), widths=(33, 70), multiple=4, steps=40)
    sizes = {tuple(Batches(stage, *cast)[step].source.shape[2:]) for step in range(40)}
    assert len(sizes) > 10
    assert all(32 <= h <= 61 and 32 <= w <= 70 and h % 4 == w % 4 == 0 for h, w in sizes)


def test_the_size_of_a_batch_does_not_decide_which_room_its_first_sample_shows() -> None:
    nobody = [np.zeros((40, 30, 4), np.uint8)]
    rooms = [np.full((40, 40, 3), level, np.uint8) for level in range(20, 240, 20)]
    stage = small_stage(heights=(16, 64), widths=(32, 32), multiple=4, steps=120)
    made = [Batches(stage, nobody, rooms)[step].source for step in range(120)]
    seen = np.array([(source.shape[2], float(source[0].mean())) for source in made])
    assert abs(np.corrcoef(seen.T)[0, 1]) < 0.3


def test_shares_of_a_batch_have_one_size_and_different_scenes(cast) -> None:
    stage = small_stage(batch=4, steps=3)
    left = Batches(stage, *cast, share=range(2))[1]
    right = Batches(stage, *cast, share=range(2, 4))[1]
    assert left.source.shape == right.source.shape
    assert len(left.source) == 2
    assert not torch.equal(left.source, right.source)


def test_an_epoch_goes_once_over_the_longer_of_people_and_rooms() -> None:
    people = [np.full((40, 30, 4), 255, np.uint8)] * 12
    rooms = [np.zeros((40, 40, 3), np.uint8)] * 5
    batches = Batches(small_stage(steps=0, epochs=3, batch=4), people, rooms)
    assert batches.stage.steps == 9
    numbers = [batches._place(sample) for sample in range(36)]
    epochs = [numbers[start : start + 12] for start in (0, 12, 24)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_several_sets_count_as_one(material: Path) -> None:
    plan = small_plan()
    plan = replace(
        plan,
        stages=(small_stage(foregrounds=("people", "more")),),
        material={**plan.material, "more": Source("cut-outs", "people")},
    )
    people, _ = open_material(plan, plan.stages[0], material, "train", keep=False)
    assert len(people) == 56
    assert np.array_equal(people[3], people[31])
    assert isinstance(people, Joined)
    with pytest.raises(IndexError):
        people[56]


def test_video_compression_does_not_depend_on_how_busy_the_machine_is() -> None:
    coarse = np.random.default_rng(0).random((27, 38, 3)).astype(np.float32)
    picture = np.kron(coarse, np.ones((8, 8, 1), np.float32))
    for _ in range(12):
        one, other = (camera.video(picture, picture, "libvpx", 30) for _ in range(2))
        assert np.array_equal(one, other)
        one, other = (
            streaming.received(picture, "libvpx", 0.1, 0.01, np.random.default_rng(1))
            for _ in range(2)
        )
        assert np.array_equal(one, other)


def hears(pid: int, number: signal.Signals) -> bool:
    """Whether a process lets a signal through."""
    status = Path(f"/proc/{pid}/status").read_text()
    blocked = int(status.split("SigBlk:")[1].split()[0], 16)
    return not blocked >> (number - 1) & 1


def test_a_signal_to_the_trainers_group_does_not_reach_its_workers(cast) -> None:
    """Ctrl-C and `timeout` signal the group; the trainer then writes a checkpoint."""
    before = set(multiprocessing.active_children())
    batches = load(Batches(small_stage(steps=50), *cast), 0, 1, pin=False)
    (worker,) = set(multiprocessing.active_children()) - before
    while not hears(worker.pid, signal.SIGTERM):
        assert not hears(worker.pid, signal.SIGINT) or os.getpgid(worker.pid) != os.getpgid(0)
    assert os.getpgid(worker.pid) != os.getpgid(0)
    assert hears(os.getpid(), signal.SIGINT)
    next(batches)


class Field:
    """A tensor of a machine with an accelerator."""

    def __init__(self, name: str) -> None:
        self.name = name

    def pin_memory(self) -> str:
        return f"{self.name}, pinned"


def test_the_loader_pins_a_batch_field_by_field() -> None:
    names = ("source", "plate", "alpha", "foreground")
    pinned = pin_memory(Batch(*(Field(name) for name in names)))  # type: ignore[arg-type]
    assert [getattr(pinned, name) for name in names] == [f"{name}, pinned" for name in names]

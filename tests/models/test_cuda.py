"""The same promises on a GPU: `make test-gpu`."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from models import colour
from models.backdrop import Colour
from models.backends.choice import TOLERANCE, self_test
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.engine import InProcessEngine
from models.training.batches import Batches, load, open_material
from models.training.checkpoint import read_checkpoint
from models.training.run import train
from tests.models.random_network import make_network
from tests.models.small_plan import small_plan

pytestmark = pytest.mark.gpu


def test_half_precision_gives_the_references_matte():
    network = make_network()
    assert self_test(TorchBackend(network, choose_device("cuda")), network) < TOLERANCE["fp16"]


@pytest.mark.parametrize("size", [(360, 640), (720, 1280), (1080, 1920)])
def test_a_stream_is_composited_at_every_usual_size(size: tuple[int, int]):
    engine = InProcessEngine(device="cuda", network=make_network())
    try:
        stream = engine.open_stream()
        room = np.random.default_rng(0).integers(60, 200, (*size, 3), dtype=np.uint8)
        stream.load_plate(room).result(60)
        stream.set_backdrop(Colour(0, 0, 255)).result(60)
        source = colour.to_i420(room)
        for _ in range(20):
            composite = stream.composite(source).result(60)
        assert composite.pixels.shape == source.shape
        assert composite.has_plate
    finally:
        engine.close()


def test_a_plan_trains(material: Path, tmp_path: Path):
    plan = small_plan(heights=(64, 64), widths=(64, 96))
    folder = train(plan, material, tmp_path, workers=0, device="cuda")
    checkpoint = read_checkpoint(folder)
    assert checkpoint is not None
    assert all(bool(value.isfinite().all()) for value in checkpoint.averaged.values())
    with (folder / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert 0 < float(row["waited"]) < 1
    assert 0 < float(row["mad"]) < 1


def test_batches_lie_where_the_gpu_can_fetch_them(material: Path):
    plan = small_plan()
    stage = plan.stage("base")
    batches = Batches(stage, *open_material(plan, stage, material, "train", keep=False))
    for workers in (0, 1):
        assert next(load(batches, 0, workers, pin=True)).source.is_pinned()

"""The same promises on a GPU: `make test-gpu`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models import colour
from models.backdrop import Colour
from models.backends.choice import TOLERANCE, self_test
from models.backends.torch_backend import TorchBackend
from models.device import choose_device
from models.engine import InProcessEngine
from models.network import MattingNetwork
from models.scenes.material import people_files, read_pictures, room_files
from models.training.batches import Batches
from models.training.stage import joint_stage, run
from tests.models.random_network import make_network

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


def test_a_stage_trains(material: Path, tmp_path: Path):
    stage = replace(
        joint_stage(2), batch=2, heights=(64, 64), widths=(64, 96), warmup=1, examine_every=2
    )
    batches = Batches(
        read_pictures(people_files(material / "people", "train"), 4),
        read_pictures(room_files(material / "rooms", "train"), 3),
        batch=stage.batch,
        heights=stage.heights,
        widths=stage.widths,
        seed=0,
        steps=stage.steps,
    )
    trained = run(
        stage,
        MattingNetwork(),
        batches,
        lambda _: {"mad": 0.5},
        tmp_path,
        device=torch.device("cuda"),
        workers=0,
    )
    assert all(bool(p.isfinite().all()) for p in trained.parameters())

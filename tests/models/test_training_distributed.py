"""Several processes train one network (torchrun; here on the processor, over gloo)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.device import choose_device
from models.training.checkpoint import read_checkpoint
from models.training.distributed import Team
from models.training.errors import TrainingError
from tests.models.team_step import step

ROOT = Path(__file__).parents[2]

PLAN = """
about = "for a test"
architecture = "mobilenetv2"

[examination]
height = 64
width = 96
scenes = 2
base_scale = 0.5

[material.people]
set = "cut-outs"
folder = "people"

[material.rooms]
set = "rooms"
folder = "rooms"

[[stage]]
name = "base"
kind = "base"
foregrounds = ["people"]
backgrounds = ["rooms"]
steps = 2
batch = 4
heights = [32, 32]
widths = [32, 48]
backbone_rate = 1e-4
aspp_rate = 5e-4
decoder_rate = 5e-4
refiner_rate = 0.0
"""


def torchrun(*words: object) -> str:
    """Two processes; what they wrote."""
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
            *map(str, words),
        ],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["base", "joint"])
def test_two_processes_with_half_a_batch_each_learn_what_one_does_with_all_of_it(
    kind: str, tmp_path: Path
) -> None:
    torchrun("tests/models/team_step.py", kind, tmp_path / "team.pt")
    together: dict[str, Tensor] = torch.load(tmp_path / "team.pt", weights_only=True)
    alone = step(kind, Team(choose_device("cpu")))
    assert together.keys() == alone.keys()
    for name, value in alone.items():
        scale = float(value.abs().max()) + 1e-8
        assert float((together[name] - value).abs().max()) < 1e-6 * scale, name


@pytest.mark.slow
def test_torchrun_trains_a_plan_and_one_process_writes(material: Path, tmp_path: Path) -> None:
    (tmp_path / "pair.toml").write_text(PLAN)
    out = torchrun(
        "-m", "gateway", "train", tmp_path / "pair.toml", "--data", material,
        "--out", tmp_path / "run", "--workers", "0", "--threads", "1", "--device", "cpu", "--json",
    )  # fmt: skip
    report, _ = json.JSONDecoder().raw_decode(out[out.index("{") :])
    assert report["base"] == "2 of 2 steps"
    assert out.count('"run"') == 1
    checkpoint = read_checkpoint(tmp_path / "run" / "base")
    assert checkpoint is not None
    assert checkpoint.record["processes"] == 2
    assert (tmp_path / "run" / "base" / "log.csv").read_text().count("\n") == 2


def test_a_batch_that_does_not_divide_is_refused() -> None:
    team = Team(choose_device("cpu"), rank=1, size=3)
    assert team.share(6) == range(2, 4)
    assert not team.leads
    with pytest.raises(TrainingError, match="batch of 4 does not divide among 3"):
        team.share(4)

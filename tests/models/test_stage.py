from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.evaluation.validation import examine, validation_scenes
from models.network import MattingNetwork
from models.scenes.material import people_files, read_pictures, room_files
from models.training.batches import Batches
from models.training.stage import Stage, base_stage, joint_stage, run


def small(stage: Stage) -> Stage:
    return replace(stage, batch=2, heights=(32, 32), widths=(32, 48), warmup=1, examine_every=2)


def train(stage: Stage, material: Path, folder: Path) -> MattingNetwork:
    torch.manual_seed(0)
    batches = Batches(
        read_pictures(people_files(material / "people", "train"), 4),
        read_pictures(room_files(material / "rooms", "train"), 3),
        batch=stage.batch, heights=stage.heights, widths=stage.widths, seed=0, steps=stage.steps,
    )  # fmt: skip
    return run(
        stage, MattingNetwork(), batches, lambda _: {"mad": 0.5}, folder,
        device=torch.device("cpu"), workers=0,
    )  # fmt: skip


@pytest.mark.parametrize("make", [base_stage, joint_stage])
def test_a_stage_changes_what_it_trains_and_writes_what_it_did(
    make, material: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    before = MattingNetwork().state_dict()
    trained = train(small(make(2)), material, tmp_path / "run").state_dict()
    refiner = not torch.equal(before["refiner.conv1.weight"], trained["refiner.conv1.weight"])
    assert refiner == (make is joint_stage)
    assert not torch.equal(before["decoder.conv1.weight"], trained["decoder.conv1.weight"])
    header, line = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert header == "step,loss,seconds,mad"
    assert line.startswith("2,")


def test_a_stage_that_was_stopped_goes_on_as_if_it_had_not_been(
    material: Path, tmp_path: Path
) -> None:
    whole = train(small(base_stage(4)), material, tmp_path / "whole")
    # Stopped after two of four steps: the schedule is that of the whole stage.
    stopped = tmp_path / "stopped"

    def stop(_: MattingNetwork) -> dict[str, float]:
        if (stopped / "checkpoint.pt").exists():
            raise KeyboardInterrupt
        return {"mad": 0.5}

    stage = small(base_stage(4))
    batches = Batches(
        read_pictures(people_files(material / "people", "train"), 4),
        read_pictures(room_files(material / "rooms", "train"), 3),
        batch=stage.batch, heights=stage.heights, widths=stage.widths, seed=0, steps=4,
    )  # fmt: skip
    torch.manual_seed(0)
    with pytest.raises(KeyboardInterrupt):
        run(
            stage, MattingNetwork(), batches, stop, stopped,
            device=torch.device("cpu"), workers=0,
        )  # fmt: skip
    resumed = train(stage, material, stopped)
    steps = [line.split(",")[0] for line in (stopped / "log.csv").read_text().splitlines()[1:]]
    assert steps == ["2", "4"]
    one, other = whole.state_dict(), resumed.state_dict()
    assert all(torch.allclose(one[key], other[key], atol=1e-5) for key in one)


def test_the_examination_is_the_same_every_time(material: Path) -> None:
    network = MattingNetwork()
    first, again = (
        examine(network, list(validation_scenes(material, (64, 96), 2))) for _ in range(2)
    )
    assert first == again
    assert first.scenes == 2
    assert 0 < first.mad < 1

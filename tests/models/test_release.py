"""A run becomes weights with a card, and a report becomes the card's scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.errors import MattingError, WeightsError
from models.training.checkpoint import Checkpoint, read_checkpoint
from models.training.errors import TrainingError
from models.training.plan import Plan
from models.training.release import release
from models.training.run import train
from models.training.scores import score
from models.weights import Card, find_card, load_network, verify
from tests.models.random_network import make_network
from tests.models.small_plan import small_plan

NAME = "mobilenetv2.test-1"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return replace(small_plan(), licence="as you like", encoder_about="out of thin air")


@pytest.fixture(scope="module")
def run(plan: Plan, shared_material: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(plan, shared_material, folder, seed=5, workers=0)
    return folder


@pytest.fixture
def card(run: Path, tmp_path: Path) -> Card:
    return release([run / "base", run / "joint"], NAME, tmp_path / "weights")


def report(card: Card, **changes: Any) -> dict[str, Any]:
    figures = {"alpha_mad": 0.006, "dtssd": 0.01, "samples": [{"name": "x"}], "clips": []}
    return {
        "command": "cleanplate evaluate --weights mobilenetv2.test-1",
        "machine": "a slow one",
        "date": "2026-11-22",
        "entries": [
            {"name": "other", "sha256": None, "settings": {}},
            {"name": card.name, "sha256": card.sha256, "settings": {"base scale": 0.375}},
        ],
        "scenes": {"people, paper": {"size": "96x64", "scenes": 2, "clips": 1, "split": "x"}},
        "sets": {"people, paper": {card.name: figures, "other": {**figures, "alpha_mad": 0.5}}},
        "wins": {"people, paper": {card.name: {"other": {"samples": 2, "alpha_mad": 1}}}},
        **changes,
    }


def write(content: Mapping[str, Any], folder: Path) -> Path:
    path = folder / "report.json"
    path.write_text(json.dumps(content))
    return path


def test_a_run_becomes_weights_that_load(card: Card, run: Path) -> None:
    folder = card.path.parent
    assert [checked.name for checked in verify(None, (folder,))] == [NAME]
    loaded = load_network(NAME, (folder,)).state_dict()
    trained = read_checkpoint(run / "joint")
    assert trained is not None
    for key, value in trained.averaged.items():
        assert torch.allclose(loaded[key].float(), value.float(), atol=2e-3, rtol=2e-3), key


def test_the_card_says_what_was_done_with_what(card: Card, run: Path) -> None:
    read = find_card(NAME, (card.path.parent,))
    assert read.licence == "as you like"
    assert read.config["base_scale"] == 0.5
    assert read.data["encoder"] == "out of thin air"
    assert read.data["training_people"] + read.data["validation_people"] == 30
    assert list(read.schedule) == ["base", "joint"]
    joint = read.schedule["joint"]
    assert (joint["steps"], joint["batch"], joint["seed"]) == (2, 2, 5)
    assert joint["begun_with"] == "base"
    assert joint["machine"]
    assert 0 < joint["last_loss"] < 10
    assert not read.scores


@pytest.mark.parametrize("stage", ["joint", "detour"])
def test_a_run_from_before_records_needs_its_plan_and_material(
    stage: str, run: Path, plan: Plan, shared_material: Path, tmp_path: Path
) -> None:
    now = read_checkpoint(run / "joint")
    assert now is not None
    known = ("kind", "steps", "batch", "heights", "widths", "average", "base_scale")
    rates = [name for name in now.stage if name.endswith("_rate")]
    old = {name: now.stage.get(name, 0.5) for name in (*known, *rates)}
    (tmp_path / "old" / stage).mkdir(parents=True)
    state = {name: getattr(now, name) for name in ("step", "network", "averaged", "optimiser")}
    torch.save({**state, "stage": old, "random": torch.get_rng_state()},
               tmp_path / "old" / stage / "checkpoint.pt")  # fmt: skip
    folder = tmp_path / "weights"
    with pytest.raises(TrainingError, match="--plan PLAN and --data DATA"):
        release([tmp_path / "old" / stage], NAME, folder)
    card = release([tmp_path / "old" / stage], NAME, folder, plan=plan, data=shared_material)
    assert card.data["training_rooms"] == 10
    assert card.data["validation_people"] == 2
    assert card.schedule[stage]["base_scales"] == [0.5]


def test_a_base_stage_is_not_released(run: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="release a joint stage"):
        release([run / "base"], NAME, tmp_path / "weights")
    with pytest.raises(TrainingError, match="RUN/STAGE"):
        release([run], NAME, tmp_path / "weights")


def test_a_report_becomes_the_scores_of_exactly_its_weights(card: Card, tmp_path: Path) -> None:
    folders = (card.path.parent,)
    score(NAME, write(report(card), tmp_path), seen="hair is smoothed", folders=folders)
    read = find_card(NAME, folders)
    assert read.scores["people-paper"] == {
        "alpha_mad": 0.006, "dtssd": 0.01, "scenes": 2, "clips": 1, "size": "96x64",
        "less_mad_than": {"other": "1 of 2 samples"},
    }  # fmt: skip
    assert read.scores["measured"] == {
        "command": "cleanplate evaluate --weights mobilenetv2.test-1",
        "machine": "a slow one",
        "date": "2026-11-22",
        "base-scale": 0.375,
    }
    assert read.alpha_mad == 0.006
    score(NAME, write(report(card, machine="a fast one"), tmp_path), folders=folders)
    again = find_card(NAME, folders)
    assert again.scores["measured"]["machine"] == "a fast one"
    assert again.scores["seen"] == "hair is smoothed"
    assert (again.sha256, again.schedule, again.data) == (card.sha256, card.schedule, card.data)


def test_a_report_on_other_weights_is_refused(card: Card, tmp_path: Path) -> None:
    content = report(replace(card, sha256="0" * 64))
    with pytest.raises(WeightsError, match="did not examine these weights"):
        score(NAME, write(content, tmp_path), folders=(card.path.parent,))
    assert not find_card(NAME, (card.path.parent,)).scores


@pytest.mark.parametrize("content", ["{torn", "[]", '{"command": "x"}'])
def test_something_else_than_a_report_is_refused(content: str, card: Card, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(MattingError, match=r"report\.json"):
        score(NAME, tmp_path / "report.json", folders=(card.path.parent,))


def test_a_finished_checkpoint_says_so() -> None:
    state = make_network().state_dict()
    at = Checkpoint(3, {"steps": 4}, state, state, {})
    assert not at.finished
    assert replace(at, step=4).finished

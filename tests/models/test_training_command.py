"""`cleanplate train`: what a person types and reads."""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import torch

from models.scenes.augmentations import AUGMENTATIONS
from models.training import command, preview
from models.training.command import interruption
from tests.models.test_training_distributed import PLAN


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = [*words, "--workers", "0", "--threads", "1", "--device", "cpu"]
    return command.run(parser.parse_args([str(word) for word in given]))


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """The command says how many cores are used; tests after this one want theirs back."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(PLAN.replace("batch = 4", "batch = 2"))
    return tmp_path / "mine.toml"


def test_a_plan_is_trained_and_what_was_done_is_told(
    plan: Path, material: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (plan, "--data", material, "--out", tmp_path / "run")
    assert run(*words, "--limit-minutes", 0) == 0
    assert "base: 1 of 2 steps\nstopped: before the end" in capsys.readouterr().out
    assert run(*words, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report == {"base": "2 of 2 steps", "run": str(tmp_path / "run" / "base")}
    assert run(*words, "--steps", 1) == 0  # which is done already
    assert "base: 2 of 2 steps" in capsys.readouterr().out


def test_the_preview_shows_every_augmentation_and_whole_samples(
    plan: Path, material: Path, tmp_path: Path
) -> None:
    assert run(plan, "--data", material, "--preview", tmp_path / "sheet.png") == 0
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    rows = len(AUGMENTATIONS) + preview.SAMPLES // preview.ACROSS
    assert sheet.shape[0] > rows * preview.CELL[0]
    assert sheet.shape[1] > preview.ACROSS * 4 * preview.CELL[1]
    # Every row shows something: neither white paper nor one colour.
    height = (sheet.shape[0] - 10) / rows
    assert all(sheet[int(row * height) : int((row + 1) * height)].std() > 20 for row in range(rows))


def test_the_loader_is_measured_without_leaving_anything(
    plan: Path, material: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(plan, "--data", material, "--measure-loader", 2, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert 0 <= report["waits"] < 1
    assert report["seconds_per_step"] > 0
    assert report["samples_per_second"] == pytest.approx(2 / report["seconds_per_step"], rel=0.05)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.toml", "people", "rooms"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["small-machin"], "there is no plan 'small-machin'"),
        (["PLAN"], "--out RUN"),
        (["PLAN", "--out", "run", "--stage", "window"], "no stage 'window'; it has: base"),
        (["PLAN", "--out", "run", "--steps", "0"], "--steps must be at least 1"),
        (["PLAN", "--out", "run", "--encoder", "no.pth"], "no.pth: put the weights there"),
        (["PLAN", "--out", "run", "--start", "no.card"], "no weights named 'no.card'"),
        (["PLAN", "--preview", "sheet.txt"], "sheet.txt has no ending of a picture"),
        (["PLAN", "--measure-loader", "1"], "at least 2 steps"),
        (["paper-resnet50", "--out", "run"], "described in Lin et al"),
    ],
)
def test_what_cannot_be_done_is_told_with_a_remedy_and_status_2(
    words: list[str], told: str, plan: Path, material: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(plan) if word == "PLAN" else word for word in words]
    assert run(*given, "--data", material) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("cleanplate train: ")
    assert told in complaint


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As at a terminal: a shell lets what it starts in the background ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_the_first_interruption_asks_and_the_second_interrupts() -> None:
    with interruption() as wish:
        os.kill(os.getpid(), signal.SIGINT)
        assert wish == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

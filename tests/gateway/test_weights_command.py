"""`cleanplate weights` lists, verifies and imports."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import torch

from gateway import weights_command
from tests.models.random_network import make_network


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    weights_command.add_arguments(parser)
    return weights_command.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLEANPLATE_WEIGHTS_FOLDER", str(tmp_path / "weights"))
    return tmp_path / "weights"


def test_a_checkpoint_is_imported_listed_and_verified(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    torch.save(make_network().state_dict(), tmp_path / "official.pth")
    assert run("import", tmp_path / "official.pth", "--name", "mobilenetv2.official") == 0
    assert "imported" in capsys.readouterr().out
    assert run("list", "--json") == 0
    cards = json.loads(capsys.readouterr().out)
    (card,) = [card for card in cards if card["name"] == "mobilenetv2.official"]
    assert card["data"]["imported_from"] == "official.pth"
    assert run("verify", "mobilenetv2.official") == 0
    assert "verified" in capsys.readouterr().out


def test_ranges_for_bytes_are_written_on_a_card(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    torch.save(make_network().state_dict(), tmp_path / "official.pth")
    assert run("import", tmp_path / "official.pth", "--name", "mobilenetv2.official") == 0
    assert run("calibrate", "mobilenetv2.official", "--scenes", 2, "--json") == 0
    (card,) = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert card["int8"]["weights_sha256"] == card["sha256"]
    assert len(card["int8"]["ranges"]) == 54
    command = card["int8"]["calibrated"]["command"]
    assert command == "cleanplate weights calibrate mobilenetv2.official --scenes 2"
    assert run("calibrate", "mobilenetv2.official", "--pictures", tmp_path) == 2
    assert "no people" in capsys.readouterr().err


def test_without_a_word_the_cards_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run() == 0
    assert "mobilenetv2.rooms-1" in capsys.readouterr().out


def test_damage_is_found(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    torch.save(make_network().state_dict(), tmp_path / "official.pth")
    assert run("import", tmp_path / "official.pth") == 0
    (path,) = folder.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 255
    path.write_bytes(content)
    assert run("verify") == 2
    assert "damaged" in capsys.readouterr().err


def test_another_file_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "page.pth").write_text("<html>")
    assert run("import", tmp_path / "page.pth") == 2
    assert "fetch it again" in capsys.readouterr().err


def test_a_run_that_is_not_there_is_not_released(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert run("release", "--run", tmp_path / "run", "--name", "mobilenetv2.mine") == 2
    assert "RUN/STAGE" in capsys.readouterr().err
    assert not folder.exists()


def test_only_a_report_on_these_weights_scores_them(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    torch.save(make_network().state_dict(), tmp_path / "official.pth")
    run("import", tmp_path / "official.pth", "--name", "mobilenetv2.mine")
    (card,) = folder.glob("*.toml")
    sha256 = card.read_text().split('sha256 = "')[1][:64]
    report = tmp_path / "report.json"
    for measured, status in (("0" * 64, 2), (sha256, 0)):
        entry = {"name": "mine", "sha256": measured, "settings": {}}
        content = {"command": "cleanplate evaluate", "machine": "this", "date": "2026-11-22"}
        sets = {"people": {"mine": {"alpha_mad": 0.004, "samples": []}}}
        report.write_text(json.dumps({**content, "entries": [entry], "sets": sets}))
        assert run("score", "mobilenetv2.mine", "--report", report) == status
    captured = capsys.readouterr()
    assert "did not examine these weights" in captured.err
    assert "scored" in captured.out
    assert "alpha_mad = 0.004" in card.read_text()

"""`cleanplate devices` says what would run and why."""

from __future__ import annotations

import argparse
import json

import pytest

from gateway import devices


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    devices.add_arguments(parser)
    return devices.run(parser.parse_args(list(words)))


def test_the_choice_comes_with_its_reasons(capsys: pytest.CaptureFixture[str]):
    assert run("--device", "cpu", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["chosen"] == "cpu"
    assert report["backend"].split()[0] in {"openvino", "torch"}
    assert report["why"]
    assert report["backend_why"]
    assert report["devices"][-1]["device"] == "cpu"


def test_people_get_lines(capsys: pytest.CaptureFixture[str]):
    assert run("--device", "cpu") == 0
    assert "backend" in capsys.readouterr().out


def test_a_device_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]):
    assert run("--device", "abacus") == 2
    assert "abacus" in capsys.readouterr().err

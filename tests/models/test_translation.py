"""The network is translated once, and a cache that cannot be used costs time only."""

from __future__ import annotations

from pathlib import Path

import openvino
import pytest
import torch

from models.backends import translation
from models.quantisation.ranges import Ranges
from tests.models.random_network import make_network


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLEANPLATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_second_start_reads_what_the_first_one_kept(cache: Path, monkeypatch: pytest.MonkeyPatch):
    core = openvino.Core()
    network = make_network()
    first = translation.translate(network, core)
    assert [path.name.split("-")[0] for path in cache.iterdir()] == ["openvino"]

    def fail(network: object, ranges: object) -> None:
        raise AssertionError("traced again")

    monkeypatch.setattr(translation, "_trace", fail)
    second = translation.translate(network, core)
    assert [len(model.get_ops()) for model in second] == [len(model.get_ops()) for model in first]


def test_other_parameters_are_another_network():
    network = make_network()
    before = translation._fingerprint(network)
    with torch.no_grad():
        network.refiner.conv1.weight[0, 0, 0, 0] += 1
    assert translation._fingerprint(network) != before


def test_other_ranges_are_another_network():
    network = make_network()
    one, other = (Ranges({"decoder.conv4": peak}, frozenset()) for peak in (1.0, 2.0))
    prints = {translation._fingerprint(network, ranges) for ranges in (None, one, other)}
    assert len(prints) == 3


def test_a_damaged_cache_is_not_used(cache: Path):
    core = openvino.Core()
    network = make_network()
    folder = cache / translation._fingerprint(network)
    folder.mkdir(parents=True)
    (folder / "base.xml").write_text("<net")
    assert translation.translate(network, core)


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLEANPLATE_CACHE", str(tmp_path / "file" / "cache"))
    assert translation.translate(make_network(), openvino.Core())

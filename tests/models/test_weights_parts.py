"""Weights too large for one file are parts that load, verify and are scored as one set."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gateway import weights_command
from models.errors import WeightsError
from models.evaluation.contender import WeightsContender
from models.network import MattingNetwork
from models.training.scores import score
from models.weights import (
    Card,
    find_card,
    import_checkpoint,
    list_cards,
    load_network,
    save_weights,
    verify,
)
from models.weights.card import read_card, write_card
from models.weights.parts import FILE_LIMIT
from tests.models.random_network import make_network

NAME = "mobilenetv2.test-1.5"
LIMIT = 3_000_000
"""Bytes: the network has about 10 million in fp16, its largest parameter 1.5 million."""


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return make_network()


@pytest.fixture(scope="module")
def saved(network: MattingNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    save(network, folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """With files that a test may damage."""
    return Path(shutil.copytree(saved, tmp_path / "weights"))


def save(network: MattingNetwork, folder: Path, name: str = NAME, limit: int = LIMIT) -> Card:
    config: dict[str, object] = {"base_scale": 0.375}
    return save_weights(
        network.state_dict(), name, folder, licence="none", config=config, limit=limit
    )


def files(folder: Path) -> list[Path]:
    """The parts in order; there are fewer than ten."""
    return sorted(folder.glob("*.safetensors"))


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)


def parameters_agree(first: MattingNetwork, second: MattingNetwork) -> bool:
    other = second.state_dict()
    return all(torch.allclose(v, other[k], atol=2e-3) for k, v in first.state_dict().items())


def test_no_part_exceeds_the_limit_and_no_parameter_is_torn(saved: Path, network: MattingNetwork):
    names = [file.name for file in files(saved)]
    count = len(names)
    assert count > 3
    assert names == [f"{NAME}.{index}-of-{count}.safetensors" for index in range(1, count + 1)]
    assert all(file.stat().st_size <= LIMIT for file in files(saved))
    held = [key for file in files(saved) for key in load_file(file)]
    assert sorted(held) == sorted(network.state_dict())


def test_the_card_lists_every_part(saved: Path):
    card = find_card(NAME, (saved,))
    assert [saved / part.file for part in card.parts] == files(saved)
    for part, file in zip(card.parts, files(saved), strict=True):
        content = file.read_bytes()
        assert (part.size, part.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_checksum_of_the_whole_is_that_of_the_parts_one_after_another(saved: Path):
    card = find_card(NAME, (saved,))
    content = b"".join(file.read_bytes() for file in files(saved))
    assert (card.size, card.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_whoever_can_read_the_card_can_read_the_parts(saved: Path):
    mode = (saved / f"{NAME}.toml").stat().st_mode
    assert {file.stat().st_mode for file in files(saved)} == {mode}


def test_parts_load_by_name_with_their_configuration(saved: Path, network: MattingNetwork):
    loaded = load_network(NAME, (saved,))
    assert parameters_agree(loaded, network)
    assert loaded.config.base_scale == 0.375


def test_any_part_stands_for_all(saved: Path, network: MattingNetwork):
    loaded = load_network(files(saved)[2])
    assert parameters_agree(loaded, network)
    assert loaded.config.base_scale == 0.375


def test_parts_without_their_card_load_and_can_be_imported(folder: Path, network: MattingNetwork):
    sha256 = find_card(NAME, (folder,)).sha256
    (folder / f"{NAME}.toml").unlink()
    assert parameters_agree(load_network(files(folder)[0]), network)
    card = import_checkpoint(files(folder)[1], folder=folder / "imported")
    assert (card.name, card.parts) == ("mobilenetv2.mobilenetv2-test-1-5", ())
    assert card.data["imported_sha256"] == sha256
    assert parameters_agree(load_network(card.path), network)


def test_parts_are_listed_as_one_set_and_verified(saved: Path):
    (card,) = list_cards((saved,))
    assert card.name == NAME
    assert verify(folders=(saved,)) == [card]


def test_a_missing_part_is_named(folder: Path):
    gone = files(folder)[1]
    gone.unlink()
    for attempt in (verify, load_network):
        with pytest.raises(WeightsError, match=rf"{gone.name} is missing beside its card"):
            attempt(NAME, (folder,))
    (folder / f"{NAME}.toml").unlink()
    first = files(folder)[0]
    with pytest.raises(WeightsError, match=rf"{gone.name} is missing beside {first.name}"):
        load_network(first)


def test_a_damaged_part_is_named(folder: Path):
    file = files(folder)[2]
    damage(file)
    with pytest.raises(WeightsError, match=rf"{file.name} is damaged"):
        load_network(NAME, (folder,))
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=rf"{file.name} has 1000 bytes"):
        verify(folders=(folder,))


def test_a_part_of_other_weights_is_refused_by_name(folder: Path):
    first, second, *_ = files(folder)
    shutil.copy(first, second)
    with pytest.raises(WeightsError, match=second.name):
        load_network(NAME, (folder,))
    (folder / f"{NAME}.toml").unlink()
    with pytest.raises(WeightsError, match=rf"{second.name} holds .* as well"):
        load_network(first)


@pytest.mark.parametrize(
    ("said", "instead", "complaint"),
    [
        ("1-of-", "/../1-of-", "malformed.*its parts are not"),
        ("size = ", "size = 1", "malformed.*the sum of its parts"),
        ('sha256 = "', 'sha256 = "0', "contradicts itself"),
    ],
)
def test_a_card_that_does_not_add_up_is_refused(
    folder: Path, said: str, instead: str, complaint: str
):
    card = folder / f"{NAME}.toml"
    card.write_text(card.read_text().replace(said, instead, 1))
    with pytest.raises(WeightsError, match=complaint):
        verify(folders=(folder,))


def test_one_file_is_kept_as_long_as_it_fits(tmp_path: Path, network: MattingNetwork):
    largest = save(network, tmp_path / "one", limit=FILE_LIMIT).size
    assert save(network, tmp_path / "exact", limit=largest).parts == ()
    assert len(save(network, tmp_path / "less", limit=largest - 1).parts) == 2
    (file,) = files(tmp_path / "exact")
    assert file.name == f"{NAME}.safetensors"
    assert "parts" not in (tmp_path / "exact" / f"{NAME}.toml").read_text()


def test_published_cards_of_one_file_stay_as_they_are(tmp_path: Path):
    single = [card for card in list_cards() if not card.parts]
    assert single
    for card in single:
        published = card.path.with_name(f"{card.name}.toml")
        write_card(read_card(published), tmp_path / published.name)
        assert (tmp_path / published.name).read_text() == published.read_text()


def test_a_parameter_larger_than_a_file_is_named_and_nothing_is_written(
    tmp_path: Path, network: MattingNetwork
):
    with pytest.raises(WeightsError, match=r"aspp\.\S+ alone has 1474560 bytes"):
        save(network, tmp_path / "weights", limit=1_000_000)
    assert not (tmp_path / "weights").exists()


def test_names_are_not_reused_nor_taken_for_parts(folder: Path, network: MattingNetwork):
    (folder / f"{NAME}.toml").unlink()
    with pytest.raises(WeightsError, match="exists already"):
        save(network, folder)
    with pytest.raises(WeightsError, match="are named"):
        save(network, folder, "mobilenetv2.test.1-of-2")
    card = save(network, folder / "other", "mobilenetv2.test.2-of-1", FILE_LIMIT)
    assert parameters_agree(load_network(card.path), network)


def test_the_authors_names_in_parts_are_understood(tmp_path: Path, network: MattingNetwork):
    state = {f"model.{key}": value for key, value in network.state_dict().items()}
    keys = list(state)
    for index, share in enumerate((keys[:50], keys[50:]), start=1):
        save_file({key: state[key] for key in share}, tmp_path / f"x.{index}-of-2.safetensors")
    assert parameters_agree(load_network(tmp_path / "x.1-of-2.safetensors"), network)


def test_an_evaluated_part_is_named_and_known_as_the_whole(saved: Path):
    contender = WeightsContender.load(files(saved)[1])
    card = find_card(NAME, (saved,))
    assert (contender.name, contender.sha256) == (NAME, card.sha256)


def test_scores_leave_the_parts_on_the_card(folder: Path, tmp_path: Path):
    before = find_card(NAME, (folder,))
    content = {
        "command": "cleanplate evaluate",
        "machine": "this",
        "date": "2026-11-22",
        "entries": [{"name": "mine", "sha256": before.sha256, "settings": {}}],
        "sets": {"people, paper": {"mine": {"alpha_mad": 0.004}}},
    }
    (tmp_path / "report.json").write_text(json.dumps(content))
    score(NAME, tmp_path / "report.json", folders=(folder,))
    after = find_card(NAME, (folder,))
    assert after.alpha_mad == 0.004
    assert after.parts == before.parts
    verify(NAME, (folder,))
    damage(files(folder)[0])
    with pytest.raises(WeightsError, match=rf"{files(folder)[0].name} is damaged"):
        score(NAME, tmp_path / "report.json", folders=(folder,))


def test_the_command_lists_and_verifies_parts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("CLEANPLATE_WEIGHTS_FOLDER", str(folder))

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser()
        weights_command.add_arguments(parser)
        return weights_command.run(parser.parse_args(words))

    assert run("list", "--json") == 0
    (told,) = [card for card in json.loads(capsys.readouterr().out) if card["name"] == NAME]
    assert [part["file"] for part in told["parts"]] == [file.name for file in files(folder)]
    assert run("verify", NAME) == 0
    capsys.readouterr()
    files(folder)[1].unlink()
    assert run("verify", NAME) == 2
    assert ".2-of-" in capsys.readouterr().err

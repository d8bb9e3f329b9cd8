"""Weights load strictly or not at all, and nothing in a file is executed."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from models.errors import WeightsError
from models.network import MattingConfig, MattingNetwork
from models.weights import (
    default_weights,
    find_card,
    import_checkpoint,
    list_cards,
    load_network,
    save_weights,
    verify,
)
from tests.models.random_network import make_network


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return make_network()


@pytest.fixture
def folder(tmp_path: Path, network: MattingNetwork) -> Path:
    save_weights(
        network.state_dict(),
        "mobilenetv2.test-1",
        tmp_path,
        licence="none",
        config={"base_scale": 0.375},
        scores={"people-paper": {"alpha_mad": 0.01}},
    )
    return tmp_path


def parameters_agree(first: MattingNetwork, second: MattingNetwork) -> bool:
    other = second.state_dict()
    return all(torch.allclose(v, other[k], atol=2e-3) for k, v in first.state_dict().items())


def test_saved_weights_load_by_name_with_their_configuration(folder: Path, network: MattingNetwork):
    loaded = load_network("mobilenetv2.test-1", (folder,))
    assert parameters_agree(loaded, network)
    assert loaded.config.base_scale == 0.375
    assert next(loaded.parameters()).dtype == torch.float32
    assert not loaded.training


def test_saved_weights_load_by_path(folder: Path, network: MattingNetwork):
    path = folder / "mobilenetv2.test-1.safetensors"
    assert parameters_agree(load_network(path), network)


def test_cards_are_listed_and_verified(folder: Path):
    (card,) = list_cards((folder,))
    assert (card.name, card.architecture) == ("mobilenetv2.test-1", "mobilenetv2")
    assert card.alpha_mad == 0.01
    assert verify(folders=(folder,)) == [card]


def test_a_damaged_file_is_refused(folder: Path):
    path = folder / "mobilenetv2.test-1.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        load_network("mobilenetv2.test-1", (folder,))
    path.write_bytes(content[:1000])
    with pytest.raises(WeightsError, match="1000 bytes"):
        verify(folders=(folder,))
    path.unlink()
    with pytest.raises(WeightsError, match="missing"):
        verify(folders=(folder,))


def test_an_unknown_name_lists_the_known_ones(folder: Path):
    with pytest.raises(WeightsError, match=r"mobilenetv2\.test-1"):
        find_card("mobilenetv2.typo", (folder,))


def test_no_weights_at_all_says_what_to_do(tmp_path: Path):
    with pytest.raises(WeightsError, match="cleanplate weights import"):
        default_weights("cpu", (tmp_path,))


def test_the_default_is_the_best_score(folder: Path, network: MattingNetwork):
    for tag, table, score in (
        ("better", "people-paper", 0.005),
        ("worse", "people-paper", 0.02),
        ("elsewhere", "people-easy", 0.001),
    ):
        save_weights(
            network.state_dict(),
            f"mobilenetv2.{tag}",
            folder,
            licence="none",
            scores={table: {"alpha_mad": score}},
        )
    assert default_weights("cpu", (folder,)) == "mobilenetv2.better"


def test_a_published_name_is_never_reused(folder: Path, network: MattingNetwork):
    with pytest.raises(WeightsError, match="exists already"):
        save_weights(network.state_dict(), "mobilenetv2.test-1", folder, licence="none")
    for wrong in ("resnet50.a", "mobilenetv2", "mobilenetv2.", "mobilenetv2.a/../b"):
        with pytest.raises(WeightsError, match="are named"):
            save_weights(network.state_dict(), wrong, folder, licence="none")


@pytest.mark.parametrize("prefix", ["", "model."])
def test_the_authors_checkpoints_are_imported(tmp_path: Path, network: MattingNetwork, prefix: str):
    state = {prefix + name: tensor for name, tensor in network.state_dict().items()}
    torch.save(state, tmp_path / "pytorch_mobilenetv2.pth")
    card = import_checkpoint(tmp_path / "pytorch_mobilenetv2.pth", folder=tmp_path / "weights")
    assert card.name == "mobilenetv2.pytorch_mobilenetv2"
    loaded = load_network(card.name, (tmp_path / "weights",))
    assert parameters_agree(loaded, network)


class Exported(nn.Module):
    """As the authors wrap the network for TorchScript."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.model = nn.ModuleDict(
            {
                "backbone": network.backbone,
                "aspp": network.aspp,
                "decoder": network.decoder,
                "refiner": network.refiner,
            }
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model["decoder"].conv4.bias + x


def test_a_torchscript_archive_is_read_without_running_it(tmp_path: Path, network: MattingNetwork):
    path = tmp_path / "torchscript_mobilenetv2_fp32.pth"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Exported(network), torch.zeros(37), check_trace=False).save(str(path))
    assert parameters_agree(load_network(path), network)


def test_a_pickle_that_names_other_classes_is_refused(tmp_path: Path):
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "boom",)

    plain, archive = tmp_path / "plain.pth", tmp_path / "archive.pth"
    plain.write_bytes(pickle.dumps(Bomb()))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("net/data.pkl", pickle.dumps(Bomb()))
        file.writestr("net/code/__torch__.py", "")
    for path in (plain, archive):
        with pytest.raises(WeightsError, match="cannot be read") as caught:
            load_network(path)
        assert "weights_only" not in str(caught.value), "torch advises to run it"
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("name", ["photo.jpg", "photo.pth"])
def test_a_picture_is_no_checkpoint_and_no_advice_of_torch_is_passed_on(tmp_path: Path, name: str):
    Image.new("RGB", (64, 48), "olive").save(tmp_path / name, format="JPEG")
    with pytest.raises(WeightsError, match="it is no checkpoint") as caught:
        load_network(tmp_path / name)
    assert "weights_only" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["page.pth", "page.safetensors"])
def test_a_saved_web_page_is_no_checkpoint(tmp_path: Path, name: str):
    (tmp_path / name).write_text("<html>Quota exceeded</html>")
    with pytest.raises(WeightsError, match="fetch it again"):
        load_network(tmp_path / name)


def test_a_wrong_file_names_the_first_keys_that_differ(tmp_path: Path, network: MattingNetwork):
    state = network.state_dict()
    renamed = {key.replace("aspp.", "pool."): tensor for key, tensor in state.items()}
    torch.save(renamed, tmp_path / "renamed.pth")
    with pytest.raises(WeightsError, match=r"missing: aspp\.convs.*unknown: pool\.convs"):
        load_network(tmp_path / "renamed.pth")
    misshapen = {**state, "decoder.conv4.bias": torch.zeros(36)}
    torch.save(misshapen, tmp_path / "misshapen.pth")
    with pytest.raises(WeightsError, match=r"decoder\.conv4\.bias \(36,\) instead of \(37,\)"):
        load_network(tmp_path / "misshapen.pth")
    base = {key: tensor for key, tensor in state.items() if not key.startswith("refiner")}
    torch.save(base, tmp_path / "base.pth")
    with pytest.raises(WeightsError, match="base stage"):
        load_network(tmp_path / "base.pth")
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="no background matting network"):
        load_network(tmp_path / "other.pth")


def test_the_architecture_is_read_from_the_parameters(tmp_path: Path):
    network = MattingNetwork(MattingConfig(backbone="resnet50", refine_kernel=1))
    torch.save(network.state_dict(), tmp_path / "r50.pth")
    loaded = load_network(tmp_path / "r50.pth")
    assert loaded.config.backbone == "resnet50"
    assert loaded.config.refine_kernel == 1


def test_a_malformed_card_is_reported(tmp_path: Path):
    (tmp_path / "mobilenetv2.bad.toml").write_text('name = "mobilenetv2.bad"\n')
    with pytest.raises(WeightsError, match="malformed"):
        list_cards((tmp_path,))

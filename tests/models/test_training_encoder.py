"""Networks begin with encoders that know the world."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.network import MattingConfig, MattingNetwork
from models.training.encoder import start_encoder
from models.training.errors import TrainingError

FIRST = {"mobilenetv2": "features.0.0.weight", "resnet50": "conv1.weight"}


def donor(backbone: str) -> MattingNetwork:
    torch.manual_seed(11)
    return MattingNetwork(MattingConfig(backbone=backbone))


def recipient(backbone: str) -> MattingNetwork:
    torch.manual_seed(12)
    return MattingNetwork(MattingConfig(backbone=backbone))


def imagenet(backbone: str) -> dict[str, Tensor]:
    """As torchvision names it: three channels in, a classifier at the end."""
    state = {k: v.clone() for k, v in donor(backbone).backbone.state_dict().items()}
    state[FIRST[backbone]] = state[FIRST[backbone]][:, :3].clone()
    if backbone == "mobilenetv2":
        state["features.18.0.weight"] = torch.zeros(1280, 320, 1, 1)
        state["classifier.1.weight"] = torch.zeros(10, 1280)
    else:
        state["fc.weight"] = torch.zeros(10, 2048)
    return state


def voc(backbone: str) -> dict[str, Tensor]:
    """As the DeepLabV3 checkpoints name it."""
    network = donor(backbone)
    state = {f"classifier.classifier.0.{k}": v for k, v in network.aspp.state_dict().items()}
    state["classifier.classifier.1.weight"] = torch.zeros(256, 256, 3, 3)
    for key, value in network.backbone.state_dict().items():
        name = key
        if backbone == "mobilenetv2":
            number = int(key.split(".")[1])
            half = "low" if number < 4 else "high"
            name = key.replace("features.", f"{half}_level_features.", 1)
        state[f"backbone.{name}"] = value[:, :3] if key == FIRST[backbone] else value
    return state


@pytest.mark.parametrize("backbone", FIRST)
def test_imagenet_weights_are_widened_to_source_and_plate(backbone: str, tmp_path: Path) -> None:
    state, network = imagenet(backbone), recipient(backbone)
    file = tmp_path / "imagenet.safetensors"
    save_file({k: v.contiguous() for k, v in state.items()}, file)
    start_encoder(network, file)
    own = network.backbone.state_dict()
    first = own[FIRST[backbone]]
    expected = state[FIRST[backbone]] / torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    assert torch.allclose(first[:, :3], expected)
    assert not first[::2, 3:].any()
    assert torch.allclose(first[1::2, 3:], -expected[1::2])
    assert all(torch.equal(own[k], state[k]) for k in own if k in state and k != FIRST[backbone])


@pytest.mark.parametrize("backbone", FIRST)
def test_voc_weights_give_encoder_and_aspp_but_for_the_first_convolution(
    backbone: str, tmp_path: Path
) -> None:
    network, given = recipient(backbone), donor(backbone)
    before = network.state_dict()[f"backbone.{FIRST[backbone]}"].clone()
    # The real ones hold their score as a NumPy number.
    content = {"cur_itrs": 30000, "model_state": voc(backbone), "best_score": np.float64(0.7)}
    torch.save(content, tmp_path / "voc.pth")
    start_encoder(network, tmp_path / "voc.pth")
    for part in ("backbone", "aspp"):
        own, theirs = getattr(network, part).state_dict(), getattr(given, part).state_dict()
        names = [name for name in own if name != FIRST[backbone]]
        assert all(torch.equal(own[name], theirs[name]) for name in names)
    assert torch.equal(network.state_dict()[f"backbone.{FIRST[backbone]}"], before)
    assert not torch.equal(network.decoder.conv1.weight, given.decoder.conv1.weight)


def test_voc_weights_that_an_older_numpy_wrote_can_be_read(tmp_path: Path) -> None:
    fresh = io.BytesIO()
    torch.save({"model_state": voc("mobilenetv2"), "best_score": np.float64(0.7)}, fresh)
    with zipfile.ZipFile(fresh) as old, zipfile.ZipFile(tmp_path / "voc.pth", "w") as new:
        for name in old.namelist():
            content = old.read(name).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
            new.writestr(name, content)
    network = recipient("mobilenetv2")
    start_encoder(network, tmp_path / "voc.pth")
    given = donor("mobilenetv2").aspp.convs[0][0].weight
    assert torch.equal(network.aspp.convs[0][0].weight, given)


def test_no_code_of_a_checkpoint_runs(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "sprung"),)  # type: ignore[return-value]

    torch.save({"model_state": {}, "trap": Trap()}, tmp_path / "voc.pth")
    with pytest.raises(TrainingError, match="cannot be read"):
        start_encoder(recipient("mobilenetv2"), tmp_path / "voc.pth")
    assert not (tmp_path / "sprung").exists()


def test_an_encoder_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "imagenet.safetensors"
    save_file({k: v.contiguous() for k, v in imagenet("resnet50").items()}, file)
    with pytest.raises(TrainingError, match="no encoder for mobilenetv2"):
        start_encoder(recipient("mobilenetv2"), file)
    torch.save({"model_state": voc("mobilenetv2")}, tmp_path / "voc.pth")
    with pytest.raises(TrainingError, match="no encoder for resnet50"):
        start_encoder(recipient("resnet50"), tmp_path / "voc.pth")


def test_an_encoder_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--encoder random"):
        start_encoder(recipient("mobilenetv2"), tmp_path / "none.safetensors")
    (tmp_path / "page.pth").write_text("<html>")
    with pytest.raises(TrainingError, match="fetch it again"):
        start_encoder(recipient("mobilenetv2"), tmp_path / "page.pth")

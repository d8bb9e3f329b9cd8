import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from gateway.__main__ import main
from models.device import choose_device
from models.errors import MattingError, WeightsError
from models.evaluation.contender import Contender, WeightsContender
from models.evaluation.entries import check_names, open_weights
from models.operating_point import operating_point
from models.weights.card import checksum
from tests.models.evaluation_scenes import Constant
from tests.models.random_network import make_network

CPU = choose_device("cpu")


def save_run(folder: Path, kind: str = "joint") -> Path:
    """A stage of a run, as training leaves it; its average differs from its network."""
    network = make_network()
    torch.manual_seed(8)
    averaged = {
        key: value + 0.01 if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    folder.mkdir(parents=True)
    state = {
        "step": 12,
        "stage": {"kind": kind},
        "network": network.state_dict(),
        "averaged": averaged,
    }
    torch.save(state, folder / "checkpoint.pt")
    return folder


def opened(*words: str | Path) -> list[Contender]:
    return open_weights([str(word) for word in words], CPU, (720, 1280))


def test_a_run_is_examined_by_its_average_as_it_would_be_released(tmp_path: Path) -> None:
    run = save_run(tmp_path / "window")
    (contender,) = opened(run)
    assert isinstance(contender, WeightsContender)
    assert contender.name == "window-12"
    assert contender.sha256 == checksum(run / "checkpoint.pt")
    key = "decoder.conv4.bias"
    expected = (make_network().state_dict()[key] + 0.01).half().float()
    assert torch.equal(contender.network.state_dict()[key], expected)


def test_a_checkpoint_and_its_folder_are_the_same(tmp_path: Path) -> None:
    run = save_run(tmp_path / "window")
    first, second = opened(run, run / "checkpoint.pt")
    assert (first.name, first.sha256) == (second.name, second.sha256)


def test_after_the_base_stage_nothing_is_refined(tmp_path: Path) -> None:
    base, joint = opened(save_run(tmp_path / "base", "base"), save_run(tmp_path / "joint"))
    assert base.settings["refine_pixels"] == 0
    assert joint.settings["refine_pixels"] == 80_000


def test_settings_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    (contender,) = opened(save_run(tmp_path / "joint"))
    point = operating_point(720, 1280, accelerator=False)
    assert contender.settings["base_scale"] == point.base_scale
    (other,) = open_weights([str(tmp_path / "joint")], CPU, (720, 1280), base_scale=0.5)
    assert other.settings["base_scale"] == 0.5


def test_a_folder_of_stages_names_them(tmp_path: Path) -> None:
    save_run(tmp_path / "run" / "joint")
    with pytest.raises(WeightsError, match=r"name one of its stages: .*joint"):
        opened(tmp_path / "run")


def test_a_checkpoint_that_was_cut_off_is_named(tmp_path: Path) -> None:
    run = save_run(tmp_path / "joint")
    whole = (run / "checkpoint.pt").read_bytes()
    (run / "checkpoint.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match=r"checkpoint\.pt cannot be read as a checkpoint"):
        opened(run)


def test_a_setting_out_of_range_names_the_option(tmp_path: Path) -> None:
    run = str(save_run(tmp_path / "joint"))
    with pytest.raises(MattingError, match="change --base-scale"):
        open_weights([run], CPU, (720, 1280), base_scale=0.9)


def test_two_contenders_of_one_name_are_refused() -> None:
    with pytest.raises(MattingError, match="twin is named twice"):
        check_names([Constant("twin", 0), Constant("other", 0), Constant("twin", 1)])


def evaluate(material: Path, *more: str) -> list[str]:
    words = ["evaluate", "--data", str(material), "--size", "112x72", "--scenes", "1"]
    return [*words, "--clips", "0", "--curve-scenes", "0", "--device", "cpu", *more]


def test_the_command_prints_a_table_and_writes_the_report(
    material: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, report = save_run(tmp_path / "joint"), tmp_path / "out" / "report"
    arguments = ("--weights", str(run), "--comparator", "difference-key", "--report", str(report))
    assert main(evaluate(material, *arguments, "--clips", "1", "--recipe", "webrtc")) == 0
    shown = capsys.readouterr().out
    assert "people/webrtc: 1 scene, 1 clip" in shown
    assert "joint-12" in shown
    assert "difference-key" in shown
    written = json.loads((report / "report.json").read_text())
    assert [entry["name"] for entry in written["entries"]] == ["joint-12", "difference-key"]
    # What is published with the scores names no folder of this machine.
    assert str(tmp_path) not in (report / "report.json").read_text()
    assert "--weights joint --comparator difference-key --data DATA" in written["command"]


def test_the_command_prints_json_alone(material: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = evaluate(material, "--comparator", "difference-key", "--recipe", "paper", "--json")
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["sets"]) == {"people/paper"}


def test_backends_stand_side_by_side(material: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--weights", "mobilenetv2.rooms-2", "--backend", "fp32", "--backend", "int8")
    assert main(evaluate(material, *words, "--recipe", "webrtc", "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    names = ["mobilenetv2.rooms-2 fp32", "mobilenetv2.rooms-2 int8"]
    assert [entry["name"] for entry in told["entries"]] == names
    assert [entry["settings"]["precision"] for entry in told["entries"]] == [
        "openvino fp32",
        "openvino int8",
    ]
    fp32, int8 = (told["sets"]["people/webrtc"][name]["alpha_mad"] for name in names)
    assert int8 != fp32
    assert int8 == pytest.approx(fp32, abs=0.01)
    assert "--backend fp32 --backend int8" in told["command"]


def test_public_sets_that_are_there_are_examined_too(
    material: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for tree, shape in (("fgr", (40, 30, 3)), ("pha", (40, 30))):
        (material / "AIM" / tree).mkdir(parents=True)
        cv2.imwrite(str(material / "AIM" / tree / "1.png"), np.full(shape, 255, np.uint8))
    arguments = evaluate(material, "--comparator", "difference-key", "--recipe", "paper", "--json")
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["sets"]) == {"people/paper", "AIM/paper"}
    assert told["scenes"]["AIM/paper"]["split"] == "test"
    assert "--set cut-outs=people --set aim=AIM" in told["command"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--weights", "nobody.knows"), "there are no weights named 'nobody.knows'"),
        (("--comparator", "magic"), "there is no comparator 'magic'"),
        (("--set", "people"), "--set takes SET=FOLDER"),
        (("--set", "holograms=people"), "--set takes SET=FOLDER"),
        (("--set", "videomatte240k=VideoMatte240K"), "VideoMatte240K"),
        (("--set", "rooms=rooms"), "name one with people"),
        (("--size", "113x72"), "multiples of 4"),
        (("--size", "large"), "--size takes WIDTHxHEIGHT"),
        (("--scenes", "0"), "--scenes must be at least 1"),
        (("--device", "abacus"), "unknown device 'abacus'"),
    ],
)
def test_what_cannot_be_evaluated_is_told_without_a_traceback(
    material: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    complaint: str,
) -> None:
    keyed = () if "--comparator" in arguments else ("--comparator", "difference-key")
    assert main(evaluate(material, *arguments, *keyed)) == 2
    told = capsys.readouterr().err
    assert told.startswith("cleanplate evaluate: ")
    assert complaint in told


def test_a_report_that_cannot_be_written_is_told_before_the_work(
    material: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    arguments = ("--comparator", "difference-key", "--report", str(tmp_path / "file" / "report"))
    assert main(evaluate(material, *arguments)) == 2
    assert "name another folder" in capsys.readouterr().err

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import WeightsError
from models.evaluation.contender import Contender, WeightsContender
from models.weights import save_weights
from tests.models.random_network import make_network


def pictures(height: int = 61, width: int = 90) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    source = rng.random((height, width, 3), dtype=np.float32)
    return source, rng.random((height, width, 3), dtype=np.float32)


def test_weights_answer_what_the_network_answers() -> None:
    network, (source, plate) = make_network(), pictures()
    with torch.inference_mode():
        matte = network(
            torch.from_numpy(source).permute(2, 0, 1)[None],
            torch.from_numpy(plate).permute(2, 0, 1)[None],
        )
    contender: Contender = WeightsContender(network, "random")
    contender.start()
    answer = contender.matte(source, plate)
    np.testing.assert_allclose(answer.alpha, matte.alpha[0, 0].numpy(), atol=1e-6)
    assert answer.foreground is not None
    np.testing.assert_allclose(
        answer.foreground, matte.foreground[0].permute(1, 2, 0).numpy(), atol=1e-6
    )


def test_answers_have_the_size_of_the_frame_whatever_the_base_scale() -> None:
    source, plate = pictures()
    answer = WeightsContender(make_network(), "random", 0.5, 160).matte(source, plate)
    assert answer.foreground is not None
    assert answer.error is not None
    assert answer.alpha.shape == answer.error.shape == (61, 90)
    assert answer.foreground.shape == (61, 90, 3)
    assert answer.alpha.dtype == answer.foreground.dtype == answer.error.dtype == np.float32


def test_settings_can_be_written_as_json_and_name_what_was_asked_for() -> None:
    contender = WeightsContender(make_network(), "random", base_scale=0.5, refine_pixels=160)
    settings = json.loads(json.dumps(contender.settings))
    assert (settings["base_scale"], settings["refine_pixels"]) == (0.5, 160)
    assert settings["precision"] == "float32"


def test_the_callers_network_keeps_its_settings() -> None:
    network = make_network()
    WeightsContender(network, "random", base_scale=0.5, refine_pixels=160)
    assert (network.config.base_scale, network.config.refine_pixels) == (0.25, 80_000)


def test_a_network_in_training_is_asked_in_eval_mode() -> None:
    source, plate = pictures()
    expected = WeightsContender(make_network(), "random").matte(source, plate).alpha
    trained = WeightsContender(make_network().train(), "random")
    np.testing.assert_array_equal(trained.matte(source, plate).alpha, expected)


def test_a_file_of_weights_is_named_and_known_by_its_checksum(tmp_path: Path) -> None:
    state = make_network().state_dict()
    card = save_weights(state, "mobilenetv2.probe", tmp_path, licence="MIT", data={})
    contender = WeightsContender.load(card.path)
    assert (contender.name, contender.sha256) == ("mobilenetv2.probe", card.sha256)


def test_unknown_weights_are_refused_with_the_names_there_are() -> None:
    with pytest.raises(WeightsError, match="there are: "):
        WeightsContender.load("mobilenetv2.nowhere")


def test_a_network_in_bf16_is_given_bf16_and_answers_in_fp32() -> None:
    source, plate = pictures()
    expected = WeightsContender(make_network(), "random").matte(source, plate)
    contender = WeightsContender(make_network().bfloat16(), "random")
    answer = contender.matte(source, plate)
    assert contender.settings["precision"] == "bfloat16"
    assert answer.alpha.dtype == np.float32
    np.testing.assert_allclose(answer.alpha.mean(), expected.alpha.mean(), atol=0.02)

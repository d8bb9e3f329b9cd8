from pathlib import Path

import torch

from models.evaluation.validation import validation_scenes
from models.training.release import release
from models.training.stage import joint_stage
from models.weights import load_network, verify
from tests.models.test_stage import small, train


def test_a_run_becomes_weights_that_load_with_their_scores_on_the_card(
    material: Path, tmp_path: Path
) -> None:
    trained = train(small(joint_stage(2)), material, tmp_path / "joint")
    scenes = list(validation_scenes(material, (64, 96), 2))
    folder = tmp_path / "weights"
    card = release({"joint": tmp_path / "joint"}, material, scenes, "mobilenetv2.test-1", folder)
    assert [checked.name for checked in verify(None, (folder,))] == ["mobilenetv2.test-1"]
    loaded = load_network(card.name, (folder,)).state_dict()
    for key, value in trained.state_dict().items():
        assert torch.allclose(loaded[key].float(), value.float(), atol=2e-3, rtol=2e-3), key
    validation = card.scores["validation"]
    assert 0 < validation["alpha_mad"] < 1
    assert validation["scenes"] == 2
    assert card.schedule["joint"]["steps"] == 2
    assert card.data["validation_people"] + card.data["training_people"] == 30

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from models.scenes import camera
from models.scenes.composition import Recipe, Scene, compose
from models.scenes.degradation import degrade, degrade_little
from models.scenes.material import (
    Material,
    MaterialMissing,
    MaterialUnfit,
    open_backgrounds,
    open_foregrounds,
    people_files,
    person_split,
    read_picture,
    room_files,
    room_split,
)
from models.scenes.pictures import Picture
from models.scenes.recipes import RECIPES
from models.scenes.sample import Batch, stack


@dataclass(frozen=True)
class Cast:
    people: Sequence[Picture]
    rooms: Sequence[Picture]


@pytest.fixture
def cast(material: Path) -> Cast:
    return Cast(
        open_foregrounds(Material("cut-outs", "people"), material, "train", keep=True),
        open_backgrounds(Material("rooms", "rooms"), material, "train", keep=True),
    )


def scene(cast: Cast, seed: int, **recipe: float) -> Scene:
    rng = np.random.default_rng(seed)
    return compose(cast.people, cast.rooms, (72, 112), rng, Recipe(**recipe))


def batch(cast: Cast, seed: int, recipe: str = "webrtc") -> Batch:
    rng = np.random.default_rng(seed)
    return stack(RECIPES[recipe](cast.people, cast.rooms, (64, 96), rng, 3))


def test_validation_never_leaks_into_training(material: Path) -> None:
    for files, folder in ((people_files, "people"), (room_files, "rooms")):
        train = set(files(material / folder, "train"))
        validation = set(files(material / folder, "validation"))
        assert train
        assert validation
        assert not train & validation


def test_splits_are_those_of_the_data_readme() -> None:
    assert person_split("00001") == "train"
    assert [n for n in range(1, 40) if person_split(f"{n:05}") == "validation"] == [
        n for n in range(1, 40) if __import__("zlib").crc32(f"{n:05}".encode()) % 10 == 0
    ]
    assert room_split("021-kitchen") == "validation"
    assert room_split("022-kitchen") == "train"


def test_an_empty_folder_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(MaterialMissing, match="cut out as RGBA"):
        people_files(tmp_path, "train")


def test_a_person_without_alpha_is_refused_by_name(material: Path) -> None:
    with pytest.raises(MaterialUnfit, match=r"1-bedroom\.png has no alpha"):
        read_picture(material / "rooms" / "1-bedroom.png", 4)


def test_a_scene_is_its_foreground_over_its_room(cast: Cast) -> None:
    for seed in range(12):
        made = scene(cast, seed, misaligned=0, shadows=0)
        weight = made.alpha[..., None]
        again = weight * made.foreground + (1 - weight) * made.empty
        assert np.abs(again - made.picture).max() < 0.02


def test_nobody_means_an_empty_room_and_no_alpha(cast: Cast) -> None:
    made = scene(cast, 1, nobody=1, shadows=0, misaligned=0)
    assert not made.alpha.any()
    assert np.array_equal(made.picture, made.empty)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_batch_follows_from_the_generator_alone(cast: Cast, recipe: str) -> None:
    one, again, other = batch(cast, 5, recipe), batch(cast, 5, recipe), batch(cast, 6, recipe)
    assert torch.equal(one.source, again.source)
    assert torch.equal(one.plate, again.plate)
    assert not torch.equal(one.source, other.source)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_tensor_of_a_batch_is_in_range(cast: Cast, recipe: str) -> None:
    for seed in range(4):
        made = batch(cast, seed, recipe)
        for tensor in (made.source, made.plate, made.alpha, made.foreground):
            assert tensor.dtype == torch.float32
            assert float(tensor.min()) >= 0
            assert float(tensor.max()) <= 1
        assert made.alpha.shape == (3, 1, *made.source.shape[2:])


def test_source_and_plate_are_degraded_independently(cast: Cast) -> None:
    empty = scene(cast, 3, nobody=1, shadows=0, misaligned=0)
    for degraded in (degrade, degrade_little):
        source, plate, _, _ = degraded(empty, np.random.default_rng(1))
        assert np.abs(source - plate).max() > 0.004


@pytest.mark.parametrize(("codec", "quantiser"), [("libvpx", 40), ("libx264", 35)])
def test_video_compression_loses_something_but_not_the_picture(
    cast: Cast, codec: str, quantiser: int
) -> None:
    picture = scene(cast, 2).picture
    seen = camera.video(picture, picture, codec, quantiser)
    error = np.abs(seen - picture).mean()
    assert seen.shape == picture.shape
    assert 0.001 < error < 0.1


def test_stronger_jpeg_costs_more(cast: Cast) -> None:
    picture = scene(cast, 2).picture
    fine, coarse = (np.abs(camera.jpeg(picture, q) - picture).mean() for q in (95, 30))
    assert fine < coarse


def test_noise_has_about_the_deviation_asked_for() -> None:
    grey = np.full((200, 200, 3), 0.5, np.float32)
    seen = camera.noise(grey, np.random.default_rng(0), 0.03)
    assert 0.015 < seen.std() < 0.045

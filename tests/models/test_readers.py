import pickle
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.scenes.material import (
    Material,
    MaterialMissing,
    MaterialUnfit,
    open_backgrounds,
    open_clips,
    open_foregrounds,
)
from models.scenes.public_sets import PUBLIC_SETS
from models.scenes.splits import Split, person_split
from tests.models.sets_on_disk import (
    SIZE,
    colour,
    complaint,
    lay_out,
    write,
    write_pairs,
    write_video,
)


def colours_of(pictures: Sequence[np.ndarray]) -> set[tuple[int, ...]]:
    return {tuple(int(v) for v in picture[0, 0, :3]) for picture in pictures}


def opened(material: Material, root: Path, split: Split) -> Sequence[np.ndarray]:
    people = PUBLIC_SETS[material.set].layout in ("pairs", "cut-outs")
    return (open_foregrounds if people else open_backgrounds)(material, root, split)


@pytest.mark.parametrize("name", [n for n, s in PUBLIC_SETS.items() if not s.test_only])
def test_no_picture_of_validation_or_test_is_ever_in_train(tmp_path: Path, name: str) -> None:
    material = lay_out(tmp_path, name)
    splits: list[Split] = ["train", "validation"]
    if name not in ("cut-outs", "rooms"):  # these keep their tests elsewhere
        splits.append("test")
    seen = [colours_of(opened(material, tmp_path, split)) for split in splits]
    assert all(seen)
    total = sum(len(colours) for colours in seen)
    assert len(set().union(*seen)) == total


@pytest.mark.parametrize("name", [n for n, s in PUBLIC_SETS.items() if s.test_only])
def test_sets_for_testing_cannot_be_trained_on(tmp_path: Path, name: str) -> None:
    material = lay_out(tmp_path, name)
    assert len(open_foregrounds(material, tmp_path, "test")) == 40
    for split in ("train", "validation"):
        with complaint(MaterialUnfit, "for testing only", split):
            open_foregrounds(material, tmp_path, split)


def test_the_frames_of_a_clip_are_all_in_one_split(tmp_path: Path) -> None:
    material = lay_out(tmp_path, "videomatte240k")
    clips = [open_clips(material, tmp_path, split) for split in ("train", "validation")]
    assert [len(clip) for split in clips for clip in split] == [2] * 40
    held_back = [n for n in range(40) if person_split(f"{n:04}") == "validation"]
    assert len(clips[1]) == len(held_back) > 0


def test_a_set_without_a_train_folder_is_divided_by_name_and_has_no_test(tmp_path: Path) -> None:
    write_pairs(tmp_path / "photos", [f"{index:04}" for index in range(40)])
    material = Material("photomatte13k", "photos")
    train, validation = (
        colours_of(open_foregrounds(material, tmp_path, split)) for split in ("train", "validation")
    )
    assert len(train) + len(validation) == 40
    assert not train & validation
    with complaint(MaterialMissing, str(tmp_path / "photos" / "test")):
        open_foregrounds(material, tmp_path, "test")


@pytest.mark.parametrize("name", ["photomatte13k", "backgrounds"])
def test_what_lies_in_test_does_not_train_where_no_train_folder_is(
    tmp_path: Path, name: str
) -> None:
    if name == "backgrounds":
        write(tmp_path / name / "test" / "one.jpg", "one")
    else:
        write_pairs(tmp_path / name / "test", ["one"])
    with complaint(MaterialMissing, str(tmp_path / name / "train")):
        opened(Material(name, name), tmp_path, "train")


@pytest.mark.parametrize("name", PUBLIC_SETS)
def test_missing_material_says_which_folder_with_what_and_where_to_read_of_it(
    tmp_path: Path, name: str
) -> None:
    split: Split = "test" if PUBLIC_SETS[name].test_only else "train"
    wanted = {"pairs": "fgr", "cut-outs": "RGBA", "backgrounds": "empty places", "rooms": "NNN"}
    layout = PUBLIC_SETS[name].layout
    with complaint(
        MaterialMissing, str(tmp_path / "Somewhere"), wanted[layout], PUBLIC_SETS[name].described
    ):
        opened(Material(name, "Somewhere"), tmp_path, split)


@pytest.mark.parametrize("name", ["cut-outs", "rooms"])
def test_sets_that_keep_no_test_split_say_whom_they_hold_back(tmp_path: Path, name: str) -> None:
    material = lay_out(tmp_path, name)
    with complaint(MaterialMissing, "keeps no test split", "for validation"):
        opened(material, tmp_path, "test")


def test_a_set_too_small_for_a_split_says_that_names_decide(tmp_path: Path) -> None:
    write_pairs(tmp_path / "set", ["only"])
    with complaint(MaterialMissing, "of its pairs (1) none is for validation"):
        open_foregrounds(Material("photomatte13k", "set"), tmp_path, "validation")


def test_unequal_trees_are_an_error_that_names_the_lonely_files(tmp_path: Path) -> None:
    write_pairs(tmp_path / "set", ["a", "b"])
    (tmp_path / "set" / "pha" / "b.png").unlink()
    write(tmp_path / "set" / "pha" / "c.png", "c", 1)
    with complaint(MaterialUnfit, "fgr/b.png", "pha/c.png", "2 have no other half"):
        open_foregrounds(Material("aim", "set"), tmp_path, "test")


def test_a_foreground_and_an_alpha_of_other_size_are_refused_by_name(tmp_path: Path) -> None:
    write_pairs(tmp_path / "set", ["a"])
    cv2.imwrite(str(tmp_path / "set" / "pha" / "a.png"), np.zeros((8, 8), np.uint8))
    with complaint(MaterialUnfit, "fgr/a.png", "pha/a.png", "32x24 and 8x8"):
        open_foregrounds(Material("aim", "set"), tmp_path, "test")[0]


def test_a_damaged_picture_is_refused_by_name(tmp_path: Path) -> None:
    write_pairs(tmp_path / "set", ["a"])
    (tmp_path / "set" / "fgr" / "a.png").write_bytes(b"not a picture")
    with complaint(MaterialUnfit, "fgr/a.png"):
        open_foregrounds(Material("aim", "set"), tmp_path, "test")[0]


def test_colour_and_alpha_come_from_their_own_trees(tmp_path: Path) -> None:
    write(tmp_path / "set" / "fgr" / "deep" / "a.png", "a")
    write(tmp_path / "set" / "pha" / "deep" / "a.png", "b", 1)
    picture = open_foregrounds(Material("aim", "set"), tmp_path, "test")[0]
    assert picture.shape == (*SIZE, 4)
    assert tuple(picture[0, 0]) == (*colour("a"), colour("b")[0])


def test_colour_as_jpg_goes_with_alpha_as_png(tmp_path: Path) -> None:
    write(tmp_path / "set" / "fgr" / "a.jpg", "a")
    write(tmp_path / "set" / "pha" / "a.png", "a", 1)
    assert len(open_foregrounds(Material("aim", "set"), tmp_path, "test")) == 1


def test_rooms_that_do_not_name_their_house_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "rooms" / "kitchen.jpg", "kitchen")
    with complaint(MaterialUnfit, "NNN", "'backgrounds'"):
        open_backgrounds(Material("rooms", "rooms"), tmp_path, "train")


def test_an_unknown_set_is_told_the_known_ones(tmp_path: Path) -> None:
    with complaint(MaterialUnfit, "'videomate'", "videomatte240k"):
        open_foregrounds(Material("videomate", "x"), tmp_path, "train")


def test_people_are_no_backgrounds_and_backgrounds_no_people(tmp_path: Path) -> None:
    with complaint(MaterialUnfit, "shows people"):
        open_backgrounds(Material("cut-outs", "x"), tmp_path, "train")
    with complaint(MaterialUnfit, "shows empty places"):
        open_foregrounds(Material("rooms", "x"), tmp_path, "train")


def test_single_pictures_are_no_clips(tmp_path: Path) -> None:
    write_pairs(tmp_path / "set", ["a"])
    with complaint(MaterialMissing, "single pictures but no clips"):
        open_clips(Material("aim", "set"), tmp_path, "test")


def test_kept_pictures_survive_their_files(tmp_path: Path) -> None:
    write_pairs(tmp_path / "set", ["a"])
    found = open_foregrounds(Material("aim", "set"), tmp_path, "test", keep=True)
    (tmp_path / "set" / "fgr" / "a.png").unlink()
    assert found[0].shape == (*SIZE, 4)


def test_readers_can_be_sent_to_other_processes(tmp_path: Path) -> None:
    for tree in ("fgr", "pha"):
        write_video(tmp_path / "clips" / tree / "a.mp4", 3)
    write_pairs(tmp_path / "photos", ["a"])
    for folder in ("clips", "photos"):
        frames = open_foregrounds(Material("aim", folder), tmp_path, "test")
        first = frames[0]
        again = pickle.loads(pickle.dumps(frames))
        assert np.array_equal(again[0], first)


def test_a_slice_is_a_list_of_pictures_and_beyond_the_end_is_an_error(tmp_path: Path) -> None:
    write_pairs(tmp_path / "set", ["a", "b", "c"])
    frames = open_foregrounds(Material("aim", "set"), tmp_path, "test")
    assert len(frames[::2]) == 2
    assert np.array_equal(frames[-1], frames[2])
    with pytest.raises(IndexError):
        frames[3]

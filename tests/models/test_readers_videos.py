"""Sets of videos: any frame, in any order, from any process."""

import pickle
from pathlib import Path

import pytest

from models.scenes.material import Material, MaterialUnfit, open_clips, open_foregrounds
from models.scenes.videos import Video
from tests.models.sets_on_disk import complaint, write_video


@pytest.mark.parametrize("b_frames", [0, 2])
def test_any_frame_of_a_video_can_be_had_in_any_order(tmp_path: Path, b_frames: int) -> None:
    write_video(tmp_path / "clip.mp4", 25, b_frames=b_frames)
    video = Video(tmp_path / "clip.mp4", "rgb24")
    assert len(video) == 25
    for index in (20, 3, 4, 5, 24, 0, 13, 13, 12, 24):
        assert abs(float(video.frame(index).mean()) - (16 + 8 * index)) < 3


def test_frames_of_videos_follow_one_another_over_all_clips(tmp_path: Path) -> None:
    for name, count in (("a", 3), ("b", 5)):
        for tree in ("fgr", "pha"):
            write_video(tmp_path / "set" / tree / f"{name}.mp4", count)
    frames = open_foregrounds(Material("aim", "set"), tmp_path, "test")
    clips = open_clips(Material("aim", "set"), tmp_path, "test")
    expected = [16 + 8 * index for count in (3, 5) for index in range(count)]
    assert [round(float(frame.mean()) / 8) * 8 for frame in frames] == expected
    assert [len(clip) for clip in clips] == [3, 5]
    assert abs(float(frames[-1][..., 3].mean()) - 48) < 3


def test_many_clips_can_be_read_across_one_another(tmp_path: Path) -> None:
    for name in "abcdef":
        for tree in ("fgr", "pha"):
            write_video(tmp_path / "set" / tree / f"{name}.mp4", 2)
    frames = open_foregrounds(Material("aim", "set"), tmp_path, "test")
    for index in (0, 2, 4, 6, 8, 10, 1, 11, 3):
        assert abs(float(frames[index].mean()) - (16 + 8 * (index % 2))) < 3


def test_videos_of_unequal_length_are_refused_by_name(tmp_path: Path) -> None:
    write_video(tmp_path / "set" / "fgr" / "a.mp4", 4)
    write_video(tmp_path / "set" / "pha" / "a.mp4", 3)
    with complaint(MaterialUnfit, "fgr/a.mp4 has 4 frames", "has 3"):
        open_foregrounds(Material("aim", "set"), tmp_path, "test")[0]


def test_a_damaged_video_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not a video")
    with complaint(MaterialUnfit, "a.mp4"):
        len(Video(tmp_path / "a.mp4", "gray"))


def test_a_video_without_a_count_in_its_header_is_counted(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mkv", 9)
    video = Video(tmp_path / "clip.mkv", "rgb24")
    assert len(video) == 9
    assert abs(float(video.frame(8).mean()) - 80) < 3


def test_a_copy_for_another_process_does_not_disturb_the_first(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 25)
    video = Video(tmp_path / "clip.mp4", "rgb24")
    video.frame(2)
    copy = pickle.loads(pickle.dumps(video))
    order = [3, 20, 4, 9]
    both = [(float(video.frame(n).mean()), float(copy.frame(n).mean())) for n in order]
    assert all(first == second for first, second in both)
    assert [round(first / 8) - 2 for first, _ in both] == order

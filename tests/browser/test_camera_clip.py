from pathlib import Path

import av
import numpy as np

from tests.browser.camera_clip import CameraClip

SHORT = CameraClip(width=320, height=180, fps=5, empty=2, present=4)


def test_the_room_is_empty_first_and_then_the_person_stands_in_it():
    phases = [SHORT.phase(index) for index in range(SHORT.frames)]

    assert phases[:10] == ["empty"] * 10
    assert set(phases[10:]) == {"walking", "standing"}
    assert all(SHORT.phase(index) == "standing" for index in SHORT.standing)


def test_the_alpha_says_where_the_frame_differs_from_the_empty_room():
    index = SHORT.standing[3]
    differs = np.abs(SHORT.frame(index).astype(int) - SHORT.frame(0)).max(axis=2) > 0

    assert not differs[SHORT.alpha(index) == 0].any()
    assert differs[SHORT.inside].mean() > 0.95


def test_what_is_written_is_the_clip_as_a_camera_sees_it(tmp_path: Path):
    path = SHORT.write(tmp_path / "clip.y4m")

    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == SHORT.frames
    assert frames[0].shape == (180, 320, 3)
    index = SHORT.standing[0]
    error = frames[index].astype(float) - SHORT.frame(index)
    assert 0.5 < np.abs(error).mean() < 6  # noise, drift and chroma, but the same picture
